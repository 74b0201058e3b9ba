//! The event connection: read to the end, whether anybody wants the events or not.

use bytes::Bytes;
use futures_util::StreamExt;
use patchbay_sdk::Fault;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::codec::FramedRead;

use super::link::Greeting;
use crate::frame::{EventCodec, EventFrame};

/// Where a lane's events go.
#[derive(Debug, Clone)]
pub struct Feed(pub mpsc::Sender<(u64, News)>);

/// What is told of a link. Each item comes with the link's number; a higher one means that the older link is gone.
#[derive(Debug)]
pub enum News {
    /// The link is up; events follow, among them some from before the login.
    Up(Box<Greeting>),
    /// An event.
    Event(EventFrame),
    /// The link is lost, and why.
    Down(Fault),
}

/// An event that is for one client only.
#[derive(Debug)]
pub struct Private {
    /// Whose login's connection it came by.
    pub user: String,
    /// The session whose command caused it, where the connection knows that.
    pub session: Option<u64>,
    /// Its number.
    pub code: u16,
    /// Its pickled content.
    pub payload: Bytes,
}

/// Reads the event connection until it ends, and says why it did.
pub(super) async fn follow(
    stream: TcpStream,
    limit: usize,
    to: Option<(Feed, u64, Greeting)>,
) -> String {
    match to {
        Some((feed, epoch, greeting)) => forward(stream, limit, feed, epoch, greeting).await,
        None => drain(stream).await,
    }
}

async fn forward(
    stream: TcpStream,
    limit: usize,
    feed: Feed,
    epoch: u64,
    greeting: Greeting,
) -> String {
    let mut events = FramedRead::new(stream, EventCodec::new(limit, greeting.banner.protocol()));
    let mut open = feed
        .0
        .send((epoch, News::Up(Box::new(greeting))))
        .await
        .is_ok();
    loop {
        let event = match events.next().await {
            Some(Ok(event)) => event,
            Some(Err(error)) => return error.to_string(),
            None => return closed(),
        };
        // Without a listener the events are read all the same: the daemon must not be kept waiting.
        if open {
            open = feed.0.send((epoch, News::Event(event))).await.is_ok();
        }
    }
}

async fn drain(mut stream: TcpStream) -> String {
    let mut scrap = vec![0; 16 * 1024];
    loop {
        match stream.read(&mut scrap).await {
            Ok(0) => return closed(),
            Ok(_) => {}
            Err(error) => return error.to_string(),
        }
    }
}

fn closed() -> String {
    "the daemon closed the event connection".to_owned()
}

//! The event connection: read to the end, whether anybody wants the events or not.

use futures_util::StreamExt;
use patchbay_sdk::Fault;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::codec::FramedRead;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::{FAREWELL, Greeting, leave};
use super::private::PrivateFeed;
use super::room::{Held, Room, length};
use crate::event;
use crate::frame::{EventCodec, EventFrame, FrameLimit};

/// Where a lane's events go.
#[derive(Debug, Clone)]
pub enum Feed {
    /// All that are not switched off.
    All(Forward),
    /// Those that are for one client only; all others are switched off.
    Private(PrivateFeed),
}

/// A way for news, of which at most this many bytes wait.
#[must_use]
pub fn forward(bytes: usize) -> (Forward, NewsReceiver) {
    // What waits is bounded by the room that it holds.
    let (to, from) = mpsc::unbounded_channel();
    let room = Room::new(bytes);
    (Forward { to, room }, from)
}

/// Where news come out: the link's number, what it is, and its room, which is free when this is dropped.
pub type NewsReceiver = mpsc::UnboundedReceiver<(u64, News, Held)>;

/// Where news go in.
#[derive(Debug, Clone)]
pub struct Forward {
    to: mpsc::UnboundedSender<(u64, News, Held)>,
    room: Room,
}

impl Forward {
    /// Waits until there is room; whether anybody listens.
    pub(super) async fn send(&self, epoch: u64, news: News) -> bool {
        let bytes = match &news {
            News::Event(event) => length(event),
            News::Up(_) | News::Down(_) => 0,
        };
        let held = tokio::select! {
            held = self.room.take(bytes) => held,
            () = self.to.closed() => None,
        };
        held.is_some_and(|held| self.to.send((epoch, news, held)).is_ok())
    }

    /// Tells it if there is room at once.
    pub(super) fn try_send(&self, epoch: u64, news: News) {
        if let Some(held) = self.room.try_take(0) {
            let _ = self.to.send((epoch, news, held));
        }
    }
}

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

impl Feed {
    /// Whether it takes more than the private events.
    pub(super) fn reads_events(&self) -> bool {
        matches!(self, Feed::All(_))
    }
}

/// An event connection that is read, by a task of its own.
#[derive(Debug)]
pub(super) struct Events {
    task: JoinHandle<String>,
    parting: CancellationToken,
}

impl Events {
    /// Reads it until it ends; the events go to `feed`.
    pub(super) fn follow(
        stream: TcpStream,
        limit: FrameLimit,
        feed: Option<Feed>,
        epoch: u64,
        greeting: Greeting,
        tasks: TaskTracker,
    ) -> Self {
        let parting = CancellationToken::new();
        let reading = read(stream, limit, feed, epoch, greeting, tasks, parting.clone());
        Self {
            task: tokio::spawn(reading),
            parting,
        }
    }

    /// Waits until it ends, and says why it did.
    pub(super) async fn ended(&mut self) -> String {
        (&mut self.task).await.unwrap_or_default()
    }

    /// The link is being ended. From now on what comes is read as fast as it can be and thrown away: megabytes may be
    /// under way, and understanding them would take longer than a farewell may.
    pub(super) fn part(&self) {
        self.parting.cancel();
    }

    /// Reads what is still under way, for [`FAREWELL`]: closing a socket with unread bytes resets the connection.
    pub(super) async fn read_out(mut self) {
        self.part();
        if !self.task.is_finished() && timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

async fn read(
    stream: TcpStream,
    limit: FrameLimit,
    feed: Option<Feed>,
    epoch: u64,
    greeting: Greeting,
    tasks: TaskTracker,
    parting: CancellationToken,
) -> String {
    let Some(feed) = feed else {
        return drain(stream).await;
    };
    let mut events = FramedRead::new(stream, EventCodec::new(limit, greeting.banner.protocol()));
    let reading = async {
        match feed {
            Feed::All(to) => pass_on(&mut events, to, epoch, greeting).await,
            Feed::Private(to) => pick(&mut events, to).await,
        }
    };
    match parting.run_until_cancelled(reading).await {
        Some(cause) => {
            tasks.spawn(leave(events.into_inner()));
            cause
        }
        None => drain(events.into_inner()).await,
    }
}

async fn pass_on(
    events: &mut FramedRead<TcpStream, EventCodec>,
    to: Forward,
    epoch: u64,
    greeting: Greeting,
) -> String {
    let mut open = to.send(epoch, News::Up(Box::new(greeting))).await;
    loop {
        let event = match next(events).await {
            Ok(event) => event,
            Err(cause) => return cause,
        };
        // Without a listener the events are read all the same: the daemon must not be kept waiting.
        if open {
            open = to.send(epoch, News::Event(event)).await;
        }
    }
}

/// Events for everybody may come, too: those from before they were switched off.
async fn pick(events: &mut FramedRead<TcpStream, EventCodec>, to: PrivateFeed) -> String {
    loop {
        match next(events).await {
            Ok(EventFrame::Event { code, payload, .. }) if is_private(code) => {
                to.send(code, payload);
            }
            Ok(EventFrame::Oversized { code }) if is_private(code) => {
                tracing::warn!(
                    event = &*event::name(code),
                    user = to.user,
                    "a private event exceeded `frame_limit_bytes` and was left out"
                );
            }
            Ok(_) => {}
            Err(cause) => return cause,
        }
    }
}

fn is_private(code: u16) -> bool {
    event::is_private(&event::name(code))
}

async fn next(events: &mut FramedRead<TcpStream, EventCodec>) -> Result<EventFrame, String> {
    match events.next().await {
        Some(Ok(event)) => Ok(event),
        Some(Err(error)) => Err(error.to_string()),
        None => Err(closed()),
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

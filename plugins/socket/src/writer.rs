//! What goes out on one connection: answers as they come, and events between them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::feed::{Feed, Follower};
use crate::outgoing::Outgoing;
use crate::ring::Batch;

/// A buffer that has grown larger is not kept, in bytes.
const KEPT: usize = 256 << 10;

/// The only one who writes on a connection.
pub struct Writer<W> {
    stream: W,
    inbox: mpsc::Receiver<Outgoing>,
    feed: Arc<Feed>,
    /// Without progress for so long, the client is cut off.
    patience: Duration,
    follower: Option<Follower>,
    batch: Batch,
    /// Answers in the batch.
    answers: u64,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Writes what comes through `inbox`.
    pub fn new(
        stream: W,
        inbox: mpsc::Receiver<Outgoing>,
        feed: Arc<Feed>,
        patience: Duration,
    ) -> Self {
        Writer {
            stream,
            inbox,
            feed,
            patience,
            follower: None,
            batch: Batch::default(),
            answers: 0,
        }
    }

    /// Writes until nobody has anything to say any more, or the client does not take it. Returns how many answers did not
    /// get out, and why.
    pub async fn run(mut self) -> (u64, io::Result<()>) {
        let ended = self.serve().await;
        self.inbox.close();
        let mut lost = self.answers;
        while let Ok(outgoing) = self.inbox.try_recv() {
            lost += u64::from(outgoing.is_answer());
        }
        (lost, ended)
    }

    async fn serve(&mut self) -> io::Result<()> {
        loop {
            tokio::select! {
                biased;
                outgoing = self.inbox.recv() => match outgoing {
                    Some(outgoing) => self.take(outgoing),
                    None => break,
                },
                () = news(&mut self.follower) => self.gather()?,
            }
            while !self.batch.is_full()
                && let Ok(outgoing) = self.inbox.try_recv()
            {
                self.take(outgoing);
            }
            self.flush().await?;
        }
        timeout(self.patience, self.stream.shutdown()).await?
    }

    fn take(&mut self, outgoing: Outgoing) {
        self.answers += u64::from(outgoing.is_answer());
        let line = match outgoing {
            Outgoing::Event(line) => return self.batch.add(&line),
            Outgoing::Notice(line) | Outgoing::Answer(line) => line,
            Outgoing::Follow(line, follower) => {
                self.follower = Some(follower);
                line
            }
            Outgoing::Leave(line) => {
                self.follower = None;
                line
            }
        };
        let mut line = line.into_bytes();
        line.push(b'\n');
        self.batch.add(&line.into());
    }

    fn gather(&mut self) -> io::Result<()> {
        let Some(follower) = &mut self.follower else {
            return Ok(());
        };
        let gathered = self.feed.gather(follower, &mut self.batch);
        gathered.map_err(|fault| io::Error::other(fault.message))
    }

    async fn flush(&mut self) -> io::Result<()> {
        let small = std::mem::take(&mut self.batch.small);
        self.write(&small).await?;
        self.batch.small = small;
        self.batch.small.clear();
        self.batch.small.shrink_to(KEPT);
        if let Some(large) = self.batch.large.take() {
            self.write(&large as &Bytes).await?;
        }
        self.answers = 0;
        Ok(())
    }

    /// Slowly is fine, not at all is not.
    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = timeout(self.patience, self.stream.write(bytes)).await??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

async fn news(follower: &mut Option<Follower>) {
    match follower {
        Some(follower) => follower.news().await,
        None => std::future::pending().await,
    }
}

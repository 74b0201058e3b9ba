//! What goes out on one connection: answers as they come, and events between them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::feed::{Feed, Follower};
use crate::outgoing::Outgoing;
use crate::ring::Batch;
use crate::room::Share;

/// A buffer that has grown larger is not kept, in bytes.
const KEPT: usize = 256 << 10;

/// So much at once a client has to take within the patience, in bytes.
const PIECE: usize = 64 << 10;

/// The only one who writes on a connection.
pub struct Writer<W> {
    stream: W,
    inbox: mpsc::Receiver<Outgoing>,
    feed: Arc<Feed>,
    /// A client that does not take a piece within it is cut off.
    patience: Duration,
    follower: Option<Follower>,
    batch: Batch,
    /// Answers in the batch.
    answers: u64,
    /// The room that the batch takes up.
    shares: Vec<Share>,
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
            shares: Vec::new(),
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
            Outgoing::Event(line, share) => {
                self.shares.push(share);
                return self.batch.add(&line);
            }
            Outgoing::Answer(line, share) => {
                self.shares.push(share);
                line
            }
            Outgoing::Notice(line) => line,
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
        write(&mut self.stream, &small, self.patience).await?;
        self.batch.small = small;
        self.batch.small.clear();
        self.batch.small.shrink_to(KEPT);
        if let Some(large) = self.batch.large.take() {
            write(&mut self.stream, &large, self.patience).await?;
        }
        self.answers = 0;
        self.shares.clear();
        Ok(())
    }
}

/// Slowly is fine, but not a byte now and then: what waits takes up room.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    patience: Duration,
) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        timeout(patience, stream.write_all(piece)).await??;
    }
    Ok(())
}

async fn news(follower: &mut Option<Follower>) {
    match follower {
        Some(follower) => follower.news().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, duplex};
    use tokio::time::sleep;

    /// What comes of much for a client that reads so many bytes each second.
    async fn written_to_one_that_reads(bytes: usize) -> io::Result<()> {
        let (mut ours, mut theirs) = duplex(1_000);
        let reading = tokio::spawn(async move {
            let mut taken = vec![0; bytes];
            while theirs.read(&mut taken).await.is_ok_and(|count| count > 0) {
                sleep(Duration::from_secs(1)).await;
            }
        });
        let written = write(&mut ours, &[b'x'; 300_000], Duration::from_secs(300)).await;
        reading.abort();
        written
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_is_waited_for_but_not_who_reads_a_byte_now_and_then() {
        assert!(written_to_one_that_reads(500).await.is_ok());
        let cut = written_to_one_that_reads(1).await.unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
    }
}

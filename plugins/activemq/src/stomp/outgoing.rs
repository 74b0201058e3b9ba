//! The writing half of a connection: bounded queues and one task that also beats.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::codec::encode;
use super::connection::Socket;
use super::error::{EncodeError, LinkError};
use super::frame::ClientFrame;
use super::target::Target;

/// Frames that may wait for the socket.
const QUEUE: usize = 256;
/// Frames of lesser urgency that may wait.
const BULK_QUEUE: usize = 1024;
/// Frames are joined to one write up to this many bytes.
const BATCH: usize = 64 << 10;

/// Puts frames on the connection. Clones share one socket; after its end every call says [`SendError::Closed`].
#[derive(Debug, Clone)]
pub struct Outgoing {
    frames: mpsc::Sender<Vec<u8>>,
    bulk: mpsc::Sender<Bulk>,
    /// As many permits as bytes may wait.
    bulk_room: Arc<Semaphore>,
}

/// A frame that may be dropped, and its room.
#[derive(Debug)]
struct Bulk {
    frame: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

/// Why a frame was not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SendError {
    /// The frame itself is impossible; the connection goes on.
    #[error(transparent)]
    Frame(#[from] EncodeError),
    /// The connection has ended.
    #[error("the connection to the broker has ended")]
    Closed,
    /// Only from [`Outgoing::offer`]: the socket is too slow, or the frame too long.
    #[error("the queue to the broker is full")]
    Full,
}

impl Outgoing {
    /// Waits for room in the queue.
    ///
    /// # Errors
    /// [`SendError::Frame`] or [`SendError::Closed`].
    pub async fn send(&self, frame: ClientFrame) -> Result<(), SendError> {
        let bytes = encode(frame)?;
        self.frames.send(bytes).await.map_err(|_| SendError::Closed)
    }

    /// Puts a frame behind all those of [`Outgoing::send`], or refuses at once.
    ///
    /// # Errors
    /// Any [`SendError`].
    pub fn offer(&self, frame: ClientFrame) -> Result<(), SendError> {
        let frame = encode(frame)?;
        let length = u32::try_from(frame.len()).map_err(|_| SendError::Full)?;
        let room = self.bulk_room.clone().try_acquire_many_owned(length);
        let bulk = Bulk {
            frame,
            _room: room.map_err(|_| SendError::Full)?,
        };
        self.bulk.try_send(bulk).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::Closed,
        })
    }

    /// Whether [`Outgoing::send`] would not have to wait.
    pub fn has_room(&self) -> bool {
        self.frames.capacity() > 0
    }

    /// The handle and the task that has to be run beside it.
    pub(super) fn start(
        socket: WriteHalf<Box<dyn Socket>>,
        beat_every: Option<Duration>,
        target: &Target,
    ) -> (Self, Writer, watch::Receiver<Option<Duration>>) {
        let (frames, frame_queue) = mpsc::channel(QUEUE);
        let (bulk, bulk_queue) = mpsc::channel(BULK_QUEUE);
        let (stuck, stuck_watch) = watch::channel(None);
        let writer = Writer {
            socket,
            frame_queue,
            bulk_queue,
            beat_every,
            write_timeout: target.write_timeout,
            stuck,
        };
        let outgoing = Self {
            frames,
            bulk,
            bulk_room: Arc::new(Semaphore::new(target.bulk_bytes)),
        };
        (outgoing, writer, stuck_watch)
    }
}

/// Owns the socket's writing half; ends with the last [`Outgoing`] or with the socket.
pub(super) struct Writer {
    socket: WriteHalf<Box<dyn Socket>>,
    frame_queue: mpsc::Receiver<Vec<u8>>,
    bulk_queue: mpsc::Receiver<Bulk>,
    beat_every: Option<Duration>,
    write_timeout: Duration,
    stuck: watch::Sender<Option<Duration>>,
}

impl Writer {
    pub(super) async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            match timeout(self.write_timeout, self.write(&batch)).await {
                Ok(Ok(())) => {}
                // The reading half sees the same failure and knows the cause better.
                Ok(Err(_)) => return,
                Err(_) => {
                    let _ = self.stuck.send(Some(self.write_timeout));
                    return;
                }
            }
        }
        // Nobody can send any more, which the broker should know.
        let _ = timeout(self.write_timeout, self.socket.shutdown()).await;
    }

    /// TLS keeps what it cannot write at once, so that it has to be flushed.
    async fn write(&mut self, batch: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(batch).await?;
        self.socket.flush().await
    }

    /// The next bytes to write: frames, or a heart-beat when there is none in time. `None`: nobody can send any more.
    async fn next_batch(&mut self) -> Option<Vec<u8>> {
        let beat_at = self.beat_every.map(|every| Instant::now() + every);
        let mut batch = tokio::select! {
            biased;
            Some(frame) = self.frame_queue.recv() => frame,
            Some(bulk) = self.bulk_queue.recv() => bulk.frame,
            () = sleep_until(beat_at.unwrap_or_else(Instant::now)), if beat_at.is_some() => return Some(b"\n".to_vec()),
            else => return None,
        };
        while batch.len() < BATCH {
            let next = self
                .frame_queue
                .try_recv()
                .or_else(|_| self.bulk_queue.try_recv().map(|bulk| bulk.frame));
            let Ok(frame) = next else { break };
            batch.extend_from_slice(&frame);
        }
        Some(batch)
    }
}

impl From<SendError> for LinkError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Frame(error) => Self::Frame(error),
            SendError::Closed | SendError::Full => Self::Closed,
        }
    }
}

//! Listens to what the RE Manager publishes, for as long as it is wanted.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::Backoff;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::sleep;

use super::socket::{Socket, SocketError};
use crate::config::{Config, seconds};
use crate::zmtp::Kind;

const CONSOLE: &[u8] = b"QS_Console";
const INFO: &[u8] = b"QS_Info";
/// As many messages, and bytes of them, may wait for whoever reads them; the server keeps the others, or drops them as
/// PUB sockets do.
const WAITING: usize = 16 << 10;
const WAITING_BYTES: usize = 8 << 20;
/// What a message takes beside its text.
const OVERHEAD: usize = 64;

/// What was heard, and its share of the room that there is.
#[derive(Debug)]
pub struct Waiting {
    /// What.
    pub heard: Heard,
    _room: Option<OwnedSemaphorePermit>,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Something was printed: when, and what; it may be part of a line or several.
    Console(f64, String),
    /// The server's state may have changed.
    Info,
    /// Listening has begun, once more if it was broken off.
    Begun,
    /// It was broken off, and why; what is said meanwhile is lost.
    Broken(String),
}

#[derive(Deserialize)]
struct Console<'a> {
    #[serde(default)]
    time: f64,
    #[serde(borrow)]
    msg: &'a RawValue,
}

/// Starts to listen; ends when nobody reads any more.
pub fn listen(config: &Config) -> mpsc::Receiver<Waiting> {
    let (told, heard) = mpsc::channel(WAITING);
    if !config.info.is_empty() {
        let (first, most) = (seconds(config.retry_first_s), seconds(config.retry_most_s));
        let listener = Listener {
            address: config.info.clone(),
            limit: config.frame_limit_bytes,
            deadline: seconds(config.connect_deadline_s),
            told,
            room: Arc::new(Semaphore::new(WAITING_BYTES)),
        };
        tokio::spawn(listener.run(Backoff::new(first, most)));
    }
    heard
}

struct Listener {
    address: String,
    limit: usize,
    deadline: Duration,
    told: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

impl Listener {
    async fn run(self, mut backoff: Backoff) {
        while !self.told.is_closed() {
            let error = match self.follow(&mut backoff).await {
                Err(error) => error.to_string(),
                Ok(()) => return,
            };
            let broken = Heard::Broken(format!("{} cannot be read: {error}", self.address));
            if self.tell(broken, 0).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(backoff.wait()) => {}
                () = self.told.closed() => return,
            }
        }
    }

    /// Waits for room; fails when nobody reads any more.
    async fn tell(&self, heard: Heard, bytes: usize) -> Result<(), ()> {
        let share = u32::try_from((bytes + OVERHEAD).min(WAITING_BYTES)).unwrap_or(u32::MAX);
        let room = tokio::select! {
            room = Arc::clone(&self.room).acquire_many_owned(share) => room.ok(),
            () = self.told.closed() => return Err(()),
        };
        let waiting = Waiting { heard, _room: room };
        self.told.send(waiting).await.map_err(|_| ())
    }

    /// Until nobody reads any more (`Ok`) or it breaks.
    async fn follow(&self, backoff: &mut Backoff) -> Result<(), SocketError> {
        let connect = Socket::connect(&self.address, Kind::Sub, self.limit, self.deadline);
        let mut socket = connect.await?;
        for topic in [CONSOLE, INFO] {
            let subscribe = [b"\x01", topic].concat();
            socket.send(&[&subscribe]).await?;
        }
        if self.tell(Heard::Begun, 0).await.is_err() {
            return Ok(());
        }
        loop {
            let frames = tokio::select! {
                frames = socket.receive() => frames?,
                () = self.told.closed() => return Ok(()),
            };
            backoff.reset();
            let bytes = frames.iter().map(bytes::Bytes::len).sum();
            let Some(heard) = heard(&frames) else {
                tracing::debug!("the RE Manager publishes something unknown");
                continue;
            };
            if self.tell(heard, bytes).await.is_err() {
                return Ok(());
            }
        }
    }
}

fn heard(frames: &[bytes::Bytes]) -> Option<Heard> {
    let [topic, body] = frames else { return None };
    if &topic[..] == INFO {
        return Some(Heard::Info);
    }
    if &topic[..] != CONSOLE {
        return None;
    }
    let console: Console<'_> = serde_json::from_slice(body).ok()?;
    let text = text(console.msg.get())?;
    Some(Heard::Console(console.time, text))
}

/// A JSON text; half of a pair of surrogates, which Python may write, becomes the replacement character.
fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok().or_else(|| {
        let bytes: serde_json::Result<serde_bytes_like::Lossy> = serde_json::from_str(json);
        bytes.ok().map(|lossy| lossy.0)
    })
}

mod serde_bytes_like {
    use serde::de::{Deserialize, Deserializer, Visitor};

    /// Text of which what is no Unicode is replaced.
    pub struct Lossy(pub String);

    impl<'de> Deserialize<'de> for Lossy {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Bytes;
            impl Visitor<'_> for Bytes {
                type Value = Lossy;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("text")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Lossy, E> {
                    Ok(Lossy(String::from_utf8_lossy(bytes).into_owned()))
                }
            }
            // serde_json gives bytes where text has lone surrogates.
            deserializer.deserialize_bytes(Bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, body: &str) -> Vec<bytes::Bytes> {
        vec![
            bytes::Bytes::from(topic.to_owned()),
            bytes::Bytes::from(body.to_owned()),
        ]
    }

    #[test]
    fn console_and_state_are_told_apart() {
        let console = message("QS_Console", r#"{"time": 1.5, "msg": "a\n"}"#);
        assert_eq!(heard(&console), Some(Heard::Console(1.5, "a\n".into())));
        assert_eq!(heard(&message("QS_Info", "{}")), Some(Heard::Info));
        assert_eq!(heard(&message("QS_Console", "[]")), None);
    }

    #[test]
    fn half_a_surrogate_loses_no_line() {
        let console = message("QS_Console", r#"{"time": 1.5, "msg": "a\ud800b"}"#);
        let Some(Heard::Console(_, text)) = heard(&console) else {
            panic!("not heard")
        };
        assert!(text.starts_with('a') && text.ends_with('b'), "{text}");
    }
}

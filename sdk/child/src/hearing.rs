//! What a program writes to its standard output: messages, one a line.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use patchbay_abi::line::{self, LineError};
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use patchbay_sdk::Health;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::mpsc;

use crate::child::{Inner, PROTOCOL};
use crate::heard::Heard;
use crate::lines::{Line, Lines};
use crate::rate::Rate;

/// No more is logged of a kind that is not known, in characters.
const LONGEST_KIND: usize = 40;

/// How much is read at once, in bytes.
const CHUNK: usize = 16 << 10;

/// So much of a line that is no message stands in the log, in bytes.
const SHOWN: usize = 200;

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Hearing {
    inner: Arc<Inner>,
    heard: mpsc::Sender<Heard>,
    nonsense: Rate,
    /// Whether it has said how it is.
    health_known: bool,
}

impl Hearing {
    pub(crate) fn new(inner: Arc<Inner>, heard: mpsc::Sender<Heard>) -> Self {
        let nonsense = Rate::new(inner.settings.nonsense_most, MINUTE);
        Hearing {
            inner,
            heard,
            nonsense,
            health_known: false,
        }
    }

    /// Reads until there is nothing more.
    pub(crate) async fn read(mut self, pipe: OwnedFd) {
        let Ok(mut pipe) = Receiver::from_owned_fd(pipe) else {
            return;
        };
        let mut lines = Lines::new(self.inner.settings.line_bytes);
        let mut chunk = vec![0; CHUNK];
        loop {
            match pipe.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    for line in lines.take(&chunk[..count]) {
                        self.take(line).await;
                    }
                }
            }
        }
        if let Some(line) = lines.rest() {
            self.take(line).await;
        }
    }

    async fn take(&mut self, line: Line) {
        if line.bytes.trim_ascii().is_empty() {
            return;
        }
        if line.left_out > 0 {
            let length = line.bytes.len() + line.left_out;
            let most = self.inner.settings.line_bytes;
            let why = format!("a line of {length} bytes, the limit is {most} (program.line_bytes)");
            return self.refuse(&line, FaultKind::TooLarge, &why).await;
        }
        match line::decode(&line.bytes) {
            Ok(message) => {
                if let Err(why) = self.hear(message).await {
                    self.refuse(&line, FaultKind::Protocol, &why).await;
                }
            }
            Err(LineError::UnknownKind(kind)) => {
                let kind: String = kind.chars().take(LONGEST_KIND).collect();
                tracing::warn!(
                    kind,
                    "the program says something of a kind that is not known here; ignored"
                );
                self.tell(Heard::one("messages_ignored")).await;
            }
            Err(error) => {
                let why = match &error {
                    LineError::Malformed(error) => {
                        format!("it is no message: {}", self.inner.mistake(error))
                    }
                    other => other.to_string(),
                };
                self.refuse(&line, FaultKind::Protocol, &why).await;
            }
        }
    }

    /// Takes a message; what is wrong with it, if anything is.
    async fn hear(&mut self, message: Message) -> Result<(), String> {
        match message.kind {
            Kind::REPLY => return self.hear_answer(message).await,
            Kind::PONG => self.inner.ponged.store(message.id, Ordering::Relaxed),
            Kind::READY => self.hear_ready(&message).await?,
            Kind::FAILED => self.inner.fails(self.head_of(&message)?),
            Kind::STOPPED => self.hear_stopped(),
            Kind::LOG => log(&self.head_of(&message)?),
            Kind::HEALTH => {
                let health = health(self.head_of(&message)?)?;
                self.health_known = true;
                self.tell(Heard::Health(health)).await;
            }
            Kind::METRIC => self.hear_metric(self.head_of(&message)?).await,
            _ => self.tell(Heard::Message(message)).await,
        }
        Ok(())
    }

    /// A head that was left out is an empty one.
    fn head_of<T: DeserializeOwned>(&self, message: &Message) -> Result<T, String> {
        let head: &[u8] = match message.head.is_empty() {
            true => b"{}",
            false => &message.head,
        };
        let read = serde_json::from_slice(head);
        read.map_err(|error| format!("its head: {}", self.inner.mistake(&error)))
    }

    async fn hear_ready(&self, message: &Message) -> Result<(), String> {
        let Ready { protocol } = self.head_of(message)?;
        match protocol {
            PROTOCOL => {
                self.inner.is_ready();
                if !self.health_known {
                    self.tell(Heard::Health(Health::Up)).await;
                }
            }
            other => {
                let text = format!(
                    "the program speaks version {other} of the protocol, and this gateway version {PROTOCOL}; install the \
                     one that fits the other"
                );
                self.inner.fails(Fault::new(FaultKind::Invalid, text));
            }
        }
        Ok(())
    }

    fn hear_stopped(&self) {
        match self.inner.is_stopping() {
            // It will hear nothing more, and its input ends.
            true => self.inner.outbox.finish(),
            // Whoever counts on it has to learn that it serves no more.
            false => {
                let text = "it has said `stopped` without having been told to";
                self.inner.fails(Fault::new(FaultKind::Unavailable, text));
            }
        }
    }

    async fn hear_answer(&self, message: Message) -> Result<(), String> {
        let (id, head) = (message.id, self.head_of::<head::Reply>(&message)?);
        let answer = head.fault.map_or(Ok(message), Err);
        if !self.inner.asked.answer(id, answer) {
            tracing::debug!(id, "the program answers what nobody waits for any more");
            self.tell(Heard::one("replies_late_or_double")).await;
        }
        Ok(())
    }

    async fn hear_metric(&self, metric: head::Metric) {
        self.tell(match metric.set {
            Some(value) => Heard::Level(metric.counter, value),
            None => Heard::Count(metric.counter, metric.add),
        })
        .await;
    }

    /// Says what is wrong with a line: in the log, and to whoever waits for the answer that it was to be.
    async fn refuse(&mut self, line: &Line, kind: FaultKind, why: &str) {
        let (of_kind, id) = line::known(&line.bytes);
        if let (Some(Kind::REPLY), Some(id)) = (of_kind, id) {
            let text = format!("the program's answer cannot be read: {why}");
            let fault = Fault::new(kind, text).side(patchbay_sdk::Side::Backend);
            self.inner.asked.answer(id, Err(fault));
        }
        let shown = match self.inner.settings.knows_secrets {
            true => "(not shown, because the program knows passwords)".to_owned(),
            false => shortened(&line.bytes),
        };
        tracing::error!(
            line = shown,
            "the program has written a line that cannot be taken: {why}"
        );
        self.tell(Heard::one("lines_refused")).await;
        if !self.nonsense.takes_one() {
            let most = self.inner.settings.nonsense_most;
            let text = format!(
                "it was killed, because it wrote more than {most} lines in a minute that are no messages \
                 (program.nonsense_most)"
            );
            self.inner.kill(Fault::new(FaultKind::Protocol, text));
        }
    }

    async fn tell(&self, heard: Heard) {
        // Nobody hears when the instance is ending.
        let _ = self.heard.send(heard).await;
    }
}

/// Of `READY`, beside what the boundary says of it.
#[derive(Deserialize)]
struct Ready {
    #[serde(default = "protocol")]
    protocol: u32,
}

fn protocol() -> u32 {
    PROTOCOL
}

fn health(head: head::Health) -> Result<Health, String> {
    match head.state.as_str() {
        "up" => Ok(Health::Up),
        "degraded" => Ok(Health::Degraded(head.reason)),
        "down" => Ok(Health::Down(head.reason)),
        _ => Err("its head: `state` must be `up`, `degraded` or `down`".into()),
    }
}

fn log(said: &head::Log) {
    let (text, logger) = (&said.message, said.target.as_str());
    match said.level.as_str() {
        "error" => tracing::error!(target: "program", logger, "{text}"),
        "warn" | "warning" => tracing::warn!(target: "program", logger, "{text}"),
        "debug" => tracing::debug!(target: "program", logger, "{text}"),
        "trace" => tracing::trace!(target: "program", logger, "{text}"),
        _ => tracing::info!(target: "program", logger, "{text}"),
    }
}

fn shortened(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let mut text = String::from_utf8_lossy(shown).into_owned();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}

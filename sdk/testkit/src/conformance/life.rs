//! One life of an instance under test: from its opening until it has let go of everything.

use super::audit::{self, Asked};
use super::peer::Switch;
use super::stage::Stage;
use super::suite::Notes;
use crate::Plugin;
use patchbay_abi::{Delivery, Fault, Kind, Message, Port, head};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Of the time that an instance is told that it has to stop, so much more is waited for on a machine that is busy.
const GRACE: Duration = Duration::from_secs(10);

/// How long anything is waited for, if the test does not say so.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an instance has to stop, if the test does not say so.
const STOP_WITHIN: Duration = Duration::from_secs(6);

/// Shorter ones are not looked for in what is said, in bytes.
const SHORTEST_SECRET: usize = 6;

/// No two instances of a test have the same name.
static INSTANCES: AtomicU64 = AtomicU64::new(1);

/// What is needed to begin a life.
#[derive(Clone)]
pub(super) struct Birth {
    /// What the report calls the plugin.
    pub(super) name: String,
    pub(super) plugin: Plugin,
    pub(super) config: Value,
    pub(super) role: Role,
    pub(super) notes: Notes,
    pub(super) patience: Duration,
    pub(super) stop_within: Duration,
    /// What nobody may ever say.
    pub(super) secrets: Vec<String>,
    pub(super) peer: Option<Arc<dyn Switch>>,
}

/// What the plugin plugs into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Backend,
    Frontend,
}

/// The way to an instance, until the host lets go of it. Clones are the same way.
#[derive(Clone, Default)]
pub(super) struct Line(Arc<Mutex<Option<Port>>>);

impl Line {
    pub(super) fn deliver(&self, message: Message) -> Delivery {
        let port = self.lock().clone();
        port.map_or(Delivery::Closed, |port| port.deliver(message))
    }

    fn connect(&self, port: Port) {
        *self.lock() = Some(port);
    }

    fn cut(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Port>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An instance that was opened.
pub(super) struct Life {
    birth: Birth,
    pub(super) stage: Arc<Stage>,
    line: Line,
    pub(super) asked: Asked,
}

/// How an instance began.
pub(super) enum Begun {
    Ready,
    Failed(Fault),
    Silent,
}

impl Birth {
    /// With the usual patience.
    pub(super) fn new(name: &str, plugin: Plugin, config: Value, role: Role) -> Self {
        Birth {
            name: name.to_owned(),
            plugin,
            config,
            role,
            notes: Notes::default(),
            patience: PATIENCE,
            stop_within: STOP_WITHIN,
            secrets: Vec::new(),
            peer: None,
        }
    }

    /// Nobody may ever say this; what is shorter than a password stands in many words by chance.
    pub(super) fn hush(&mut self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET {
            self.secrets.push(secret.to_owned());
        }
    }

    /// Opens an instance and starts it, with that configuration.
    pub(super) async fn start(
        &self,
        config: &Value,
        answer: impl Fn(&Message) + Send + Sync + 'static,
        line: Line,
    ) -> Result<(Life, Begun), String> {
        let (stage, host) = Stage::new(answer);
        let instance = format!("under-test-{}", INSTANCES.fetch_add(1, Ordering::Relaxed));
        let port = self
            .plugin
            .open(&instance, host)
            .map_err(|why| format!("it cannot be opened: {why}"))?;
        line.connect(port);
        let life = Life {
            birth: self.clone(),
            stage,
            line,
            asked: Asked::default(),
        };
        let start = head::Start {
            instance,
            level: "debug".into(),
        };
        life.deliver(Message::new(Kind::START, 0, &start).body(config.to_string()));
        let begun = life
            .stage
            .find(0, self.patience, |message| match message.kind {
                Kind::READY => Some(Begun::Ready),
                Kind::FAILED => Some(Begun::Failed(audit::fault(message))),
                _ => None,
            });
        let begun = begun.await.unwrap_or(Begun::Silent);
        Ok((life, begun))
    }
}

impl Life {
    pub(super) fn deliver(&self, message: Message) -> Delivery {
        self.line.deliver(message)
    }

    pub(super) fn patience(&self) -> Duration {
        self.birth.patience
    }

    /// Whether the instance answers a `PING` of that number.
    pub(super) async fn answers(&self, ping: u64) -> bool {
        let from = self.stage.len();
        self.deliver(Message::bare(Kind::PING, ping));
        let pong =
            |message: &Message| (message.kind == Kind::PONG && message.id == ping).then_some(());
        self.stage
            .find(from, self.birth.patience, pong)
            .await
            .is_some()
    }

    /// Says `STOP`, waits for the instance's word, lets go of it, waits until it lets go of everything, and goes through
    /// all that it has said.
    pub(super) async fn end(mut self) {
        self.stop().await;
        self.let_go().await;
    }

    /// As [`Life::end`], without a `STOP`: the host is gone.
    pub(super) async fn abandon(mut self) {
        self.let_go().await;
    }

    /// Says `STOP`, once; gives how much had been said before.
    pub(super) fn tell_to_stop(&self) -> usize {
        let (said, is_first) = self.asked.stop(self.stage.len());
        let within = self.birth.stop_within.as_millis();
        let head = head::Stop {
            deadline_ms: u64::try_from(within).unwrap_or(u64::MAX),
        };
        if is_first {
            self.deliver(Message::new(Kind::STOP, 0, &head));
        }
        said
    }

    async fn stop(&self) {
        // One that has given up already is the host's to end, see A12.
        if self
            .stage
            .said()
            .iter()
            .any(|said| said.kind == Kind::FAILED)
        {
            return;
        }
        let within = self.birth.stop_within;
        let from = self.tell_to_stop();
        // Of a plugin that is known not to stop nothing more is learned by waiting.
        let patience = match self.birth.notes.has("A4") {
            true => Duration::from_millis(100),
            false => within + GRACE,
        };
        let ended = self
            .stage
            .find(from, patience, |message| match message.kind {
                Kind::STOPPED => Some(Ok(())),
                Kind::FAILED => Some(Err(audit::fault(message))),
                _ => None,
            });
        match ended.await {
            Some(Ok(())) => {}
            Some(Err(fault)) => self.note("A4", format!("told to stop, it failed: {fault}")),
            None => self.note(
                "A4",
                format!("told to stop within {within:?}, it did not say STOPPED"),
            ),
        }
    }

    async fn let_go(&mut self) {
        self.line.cut();
        let patience = match self.birth.notes.has("A6") {
            true => Duration::from_millis(100),
            false => self.birth.patience,
        };
        let is_gone = self.stage.is_let_go(patience).await;
        if !is_gone {
            self.note("A6", "when it had ended and the host had let go of it, it still held its way to the host: a thread or a \
                             value of it lives on".to_owned());
        }
        let asked = std::mem::take(&mut self.asked);
        audit::audit(&self.stage, &asked, &self.birth);
    }

    pub(super) fn notes(&self) -> &Notes {
        &self.birth.notes
    }

    pub(super) fn note(&self, id: &'static str, why: String) {
        self.birth.notes.note(id, why);
    }
}

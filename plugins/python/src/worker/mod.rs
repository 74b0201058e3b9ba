//! A Python process that runs scripts: started, spoken to, signalled, and gone.
//!
//! What happens in it arrives in order as [`Heard`]; the last of these is [`Heard::Gone`]. It is spoken to by JSON lines on
//! a socket (see `worker.py`), which is the process's standard input, so that no other descriptor has to be handed over.

mod ask;
mod dry_run;
mod link;
mod message;
mod process;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_sdk::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

pub use dry_run::{DryRun, dry_run};
pub use message::{Answer, Done, Outcome, Said};
pub use patchbay_child::process::{Hard, Process};

use crate::config::Settings;

/// Messages to the worker that it has not read yet; a worker whose reading thread does not run reads none.
const UNREAD: usize = 64;

/// What happened and was not taken notice of yet; more waits in the sockets and pipes.
const UNHEARD: usize = 256;

/// What a worker tells.
#[derive(Debug)]
pub enum Heard {
    /// By its own messages.
    Said(Said),
    /// A line on its standard output or error that did not come by a message: of another program, or of a library that
    /// knows nothing of Python's streams.
    Line(Stream, String),
    /// All that other programs have printed on one of the outputs, as long as the script ran, was told.
    Drained(String),
    /// It has ended; how.
    Gone(String),
}

/// An output of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Error,
}

/// A worker that was started. Clones are the same.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    process: Arc<Process>,
    to: mpsc::Sender<String>,
    waiting: Waiting,
    count: AtomicU64,
}

/// Who waits for an answer, by its number.
#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    /// Starts one.
    ///
    /// # Errors
    /// A sentence for people, when there is no such program, or no process can be had.
    pub async fn start(settings: &Settings) -> Result<(Self, mpsc::Receiver<Heard>), String> {
        let (started, way) = process::start(settings).await?;
        let (to, outgoing) = mpsc::channel(UNREAD);
        let (heard, hears) = mpsc::channel(UNHEARD);
        let waiting = Waiting::default();
        let process = started.process.clone();
        tokio::spawn(link::serve(
            started,
            way,
            outgoing,
            heard,
            waiting.clone(),
            link::Limits::of(settings),
        ));
        let inner = Inner {
            process,
            to,
            waiting,
            count: AtomicU64::new(1),
        };
        let worker = Worker {
            inner: Arc::new(inner),
        };
        Ok((worker, hears))
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> &Arc<Process> {
        &self.inner.process
    }

    /// Tells it to do something that has no answer.
    ///
    /// # Errors
    /// `Busy` if it does not listen at present, `Unavailable` if it is gone.
    pub fn tell(&self, order: &Value) -> Result<(), Fault> {
        use mpsc::error::TrySendError;
        let sent = self.inner.to.try_send(format!("{order}\n"));
        sent.map_err(|error| match error {
            TrySendError::Full(_) => Fault::new(
                FaultKind::Busy,
                "the Python process does not listen at present; some code in it lets nothing else go on",
            ),
            TrySendError::Closed(_) => gone(),
        })
    }

    /// Tells it to begin a script.
    ///
    /// # Errors
    /// As [`Worker::tell`].
    pub fn run(&self, job: &str, name: &str, code: &str, fresh: bool) -> Result<(), Fault> {
        self.tell(&json!({"do": "run", "job": job, "name": name, "code": code, "fresh": fresh}))
    }
}

fn gone() -> Fault {
    Fault::new(
        FaultKind::Unavailable,
        "the Python process has just ended; another one is being started",
    )
}

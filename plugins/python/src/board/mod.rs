//! What is known at present: what waits, what runs, what was said. Every change is told as an event where it is made, under
//! one lock, so that events are in the order of what happened.

mod jobs;
mod look;
mod run;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_sdk::model::args::Do;
use patchbay_sdk::model::{
    JobBody, JobChange, JobRecord, JobState, Level, LinkBody, LinkState, LogLine, Prompt, Run,
    StateBody,
};
use patchbay_sdk::{BackendContext, Event, EventKind, Health};
use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::clock::now;
use crate::config::Settings;
use crate::job::Job;
use crate::journal::Journal;
use crate::worker::Worker;

pub use run::Halt;

/// What is known at present.
pub struct Board {
    cx: BackendContext,
    settings: Arc<Settings>,
    state: Mutex<State>,
    /// Counts the ends of jobs and changes of the worker.
    changes: watch::Sender<u64>,
    /// Something waits that may begin now.
    wake: Notify,
}

struct State {
    queue: VecDeque<Job>,
    running: Option<Running>,
    last: Option<Job>,
    /// Why nothing begins.
    held: Option<String>,
    prompt: Option<Prompt>,
    link: LinkState,
    worker: Option<Worker>,
    python: Option<String>,
    journal: Journal,
    beside: run::Beside,
    /// The state as it was told last.
    told: Option<(Option<String>, StateBody)>,
}

struct Running {
    job: Job,
    line: Option<u64>,
    paused: bool,
    /// Why it is being stopped.
    stopping: Option<String>,
    /// What it may still print, in bytes.
    output_left: Option<usize>,
}

/// Something to be logged.
pub struct Saying<'a> {
    /// How important it is.
    pub level: Level,
    /// Who says it.
    pub logger: &'a str,
    /// What.
    pub text: String,
    /// The job that it belongs to.
    pub job: Option<&'a str>,
    /// Python's traceback.
    pub traceback: Option<String>,
}

/// What the backend itself says is by this logger.
const OWN: &str = "patchbay";

impl Board {
    /// An empty one.
    #[must_use]
    pub fn new(cx: BackendContext, settings: Arc<Settings>) -> Self {
        let state = State {
            queue: VecDeque::new(),
            running: None,
            last: None,
            held: None,
            prompt: None,
            link: LinkState::Connecting,
            worker: None,
            python: None,
            journal: Journal::new(settings.log_bytes),
            beside: run::Beside::default(),
            told: None,
        };
        Self {
            cx,
            settings,
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
            wake: Notify::new(),
        }
    }

    /// A panic elsewhere leaves it whole enough: each change is one of its own.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when something may begin.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Counts the ends of jobs and changes of the worker.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Tells what is not known from anywhere else.
    pub fn tell(&self, event: Event) {
        self.cx.emit(event);
    }

    /// How the instance is.
    pub fn health(&self, health: Health) {
        self.cx.health(health);
    }

    /// Adds to a counter.
    pub fn count(&self, counter: &str) {
        self.cx.count(counter, 1);
    }

    /// There is a worker, or none any more, or one that is not ready.
    pub fn worker(&self, worker: Option<Worker>, link: LinkState) {
        let mut state = self.lock();
        state.worker = worker;
        let body = LinkBody {
            link,
            ..LinkBody::default()
        };
        self.link(&mut state, body);
        self.changed();
    }

    /// The worker is ready for scripts.
    pub fn ready(&self, python: String) {
        let mut state = self.lock();
        state.python = Some(python.clone());
        self.link(&mut state, LinkBody::up(python));
    }

    /// There will be no worker for a while.
    pub fn down(&self, cause: &str) {
        let mut state = self.lock();
        self.link(&mut state, LinkBody::down(cause));
    }

    /// There is another environment for scripts, or none.
    pub fn environment(&self, what: Do) {
        let change = match what {
            Do::Open => "opened",
            Do::Close => "closed",
            Do::Reset => "reset",
        };
        let body = serde_json::json!({ "change": change });
        self.emit(EventKind::Environment, None, &body);
        self.note(
            Level::Info,
            None,
            format!("the Python process was {change}"),
        );
    }

    fn link(&self, state: &mut State, body: LinkBody) {
        let before = std::mem::replace(&mut state.link, body.link);
        if before != body.link && body.link != LinkState::Connecting {
            self.emit(EventKind::Link, None, &body);
        }
        self.tell_state(state);
    }

    /// Says something of the backend's own.
    pub fn note(&self, level: Level, job: Option<&str>, text: impl Into<String>) {
        let saying = Saying {
            level,
            logger: OWN,
            text: text.into(),
            job,
            traceback: None,
        };
        self.say(saying);
    }

    /// Logs, for clients.
    pub fn say(&self, saying: Saying<'_>) {
        let mut state = self.lock();
        self.log(&mut state, saying);
    }

    fn log(&self, state: &mut State, saying: Saying<'_>) {
        let line = LogLine {
            time: state.journal.tick(),
            level: saying.level,
            logger: saying.logger.to_owned(),
            text: saying.text,
            job: saying.job.map(String::from),
            traceback: saying.traceback,
        };
        self.emit(EventKind::Log, saying.job, &line);
        state.journal.keep(line);
    }

    fn tell_job(&self, record: &JobRecord, change: JobChange) {
        let body = JobBody::new(change, record);
        self.emit(EventKind::Job, Some(&record.id), &body);
    }

    /// Tells the state, if it is not what was told last.
    fn tell_state(&self, state: &mut State) {
        let job = state.running.as_ref().map(|running| &running.job.record.id);
        let body = StateBody {
            run: state.run(),
            line: state.running.as_ref().and_then(|running| running.line),
            link: state.link,
        };
        let telling = Some((job.cloned(), body));
        if state.told != telling
            && let Some((job, body)) = &telling
        {
            self.emit(EventKind::State, job.as_deref(), body);
            state.told = telling;
        }
    }

    fn emit(&self, kind: EventKind, job: Option<&str>, body: &impl Serialize) {
        match Event::new(kind, body) {
            Ok(event) => self.cx.emit(match job {
                Some(job) => event.job(job),
                None => event,
            }),
            Err(fault) => tracing::error!(%fault, "an event could not be written"),
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
        self.wake.notify_one();
    }
}

impl State {
    fn run(&self) -> Run {
        match &self.running {
            Some(running) if running.stopping.is_some() => Run::Stopping,
            Some(running) if running.paused => Run::Paused,
            Some(_) => Run::Running,
            None if self.link != LinkState::Up => Run::Unknown,
            None => match &self.last {
                Some(last) if last.record.error.is_some() => Run::IdleAfterFailure,
                _ => Run::Idle,
            },
        }
    }
}

/// A record of what ends now.
fn ended(record: &JobRecord, state: JobState, error: Option<String>) -> JobRecord {
    JobRecord {
        state,
        ended: Some(now()),
        error,
        ..record.clone()
    }
}

//! What everything here shares: the way to the RE Manager, what is known of it, and whom to tell.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patchbay_sdk::model::{JobState, Level, LogLine};
use patchbay_sdk::{BackendContext, Event, EventKind, Fault, FaultKind, RawJson};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::config::{Config, seconds};
use crate::environment::Opening;
use crate::jobs::{Jobs, Notice};
use crate::journal::Journal;
use crate::shape::{Ending, Task, TaskResult};
use crate::wire::{Control, Urgency};

/// How often an uploaded text is asked after.
const TASK_LOOK: Duration = Duration::from_millis(30);
/// So long the shim's first word may take to arrive.
const FIRST_WORD: Duration = Duration::from_secs(2);
/// Why there are no values, lines and outputs.
pub const UNHEARD: &str = "output, lines and values come over the RE Manager's console stream, which cannot be heard: start \
                           it with `--zmq-publish-console ON`, and check `info`";
/// Who speaks in the log for the gateway.
pub const GATEWAY: &str = "patchbay";

/// A value that was asked for, or what was raised instead.
pub type Told = Result<RawJson, String>;

/// An RE Manager.
pub struct Server {
    /// As the operator wants it.
    pub config: Config,
    /// The way to it.
    pub control: Arc<Control>,
    /// Whom to tell.
    pub cx: BackendContext,
    /// The environment's opening.
    pub opening: Opening,
    /// Asks for a look before its time.
    pub hurry: Notify,
    /// The queue must be looked at although it seems unchanged: something was refused, or its outcome is not known.
    pub doubt: AtomicBool,
    /// Held by the one whose turn it is to queue a job.
    pub submits: tokio::sync::Mutex<()>,
    /// Held by the one who starts the queue, or changes what waits.
    pub queue: tokio::sync::Mutex<()>,
    /// How many looks have been taken.
    pub looks: watch::Sender<u64>,
    /// Whether what is printed can be heard.
    pub hears: watch::Sender<bool>,
    jobs: Mutex<Jobs>,
    journal: Mutex<Journal>,
    asked: Mutex<HashMap<u64, oneshot::Sender<Told>>>,
    alone: Mutex<Vec<(String, Ending, JobState)>>,
}

impl Server {
    /// Nothing is known yet.
    pub fn new(config: Config, cx: BackendContext) -> Arc<Self> {
        let keeps_copies = config.requeued == crate::config::Requeued::Keep;
        Arc::new(Self {
            control: Control::new(&config),
            cx,
            opening: Opening::default(),
            hurry: Notify::new(),
            doubt: AtomicBool::new(false),
            submits: tokio::sync::Mutex::default(),
            queue: tokio::sync::Mutex::default(),
            looks: watch::channel(0).0,
            hears: watch::channel(false).0,
            jobs: Mutex::new(Jobs::new(config.jobs_most, keeps_copies)),
            journal: Mutex::new(Journal::new(config.log_most, config.log_bytes)),
            asked: Mutex::default(),
            alone: Mutex::default(),
            config,
        })
    }

    /// The jobs; not to be held while anything is waited for.
    pub fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Scripts that ran alone and have ended, until the observer sees to them.
    pub fn ended_alone(&self) -> MutexGuard<'_, Vec<(String, Ending, JobState)>> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last lines of output.
    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what the jobs want told.
    pub fn tell(&self, notices: Vec<Notice>) {
        for notice in notices {
            match notice {
                Notice::State(job, body) => self.emit(EventKind::State, job, &body),
                Notice::Job(job, body) => self.emit(EventKind::Job, Some(job), &body),
                Notice::Queue(body) => self.emit(EventKind::Queue, None, &body),
            }
        }
    }

    /// Tells an event.
    pub fn emit(&self, kind: EventKind, job: Option<String>, body: &impl Serialize) {
        match Event::new(kind, body) {
            Ok(event) => self.cx.emit(match job {
                Some(job) => event.job(job),
                None => event,
            }),
            Err(fault) => tracing::error!(%fault, "an event could not be written"),
        }
    }

    /// A line of output: told, and kept. What the server says of its own work is not kept, since it would crowd out
    /// what scripts print.
    pub fn say(&self, line: LogLine) {
        self.emit(EventKind::Log, line.job.clone(), &line);
        if line.level != Level::Debug {
            self.journal().push(line);
        }
    }

    /// A line of the gateway's own.
    pub fn remark(&self, level: Level, job: Option<&str>, text: String) {
        self.say(LogLine {
            time: now(),
            level,
            logger: GATEWAY.to_owned(),
            text,
            job: job.map(str::to_owned),
            traceback: None,
        });
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// As [`Control::ask`].
    pub async fn order(&self, method: &'static str, params: Value) -> Result<(), Fault> {
        self.control.tell(method, params, Urgency::Ordinary).await
    }

    /// As [`Server::order`], with room of its own.
    ///
    /// # Errors
    /// As [`Control::ask`].
    pub async fn urgently(&self, method: &'static str, params: Value) -> Result<(), Fault> {
        self.control.tell(method, params, Urgency::Urgent).await
    }

    /// Runs a text in the environment beside whatever runs there, and waits until it has ended.
    ///
    /// # Errors
    /// What it raised (`Invalid`), or why it could not be run.
    pub async fn run_beside(&self, script: String, limit: Duration) -> Result<(), Fault> {
        let task = self.upload(script, true, false).await?;
        let result = self.task(&task, limit).await?;
        match result.success {
            true => Ok(()),
            false => Err(Fault::new(FaultKind::Invalid, raised(&result))),
        }
    }

    /// Uploads a text; its task.
    ///
    /// # Errors
    /// As [`Control::ask`].
    pub async fn upload(&self, script: String, beside: bool, lists: bool) -> Result<String, Fault> {
        #[derive(serde::Deserialize)]
        struct Uploaded {
            task_uid: String,
        }
        let params = json!({"script": script, "run_in_background": beside, "update_lists": lists});
        let uploaded = self.control.ask("script_upload", params, Urgency::Urgent);
        uploaded.await.map(|uploaded: Uploaded| uploaded.task_uid)
    }

    /// Waits for a task to end.
    ///
    /// # Errors
    /// `Timeout` if it does not; `UnknownOutcome` if the server has forgotten it.
    pub async fn task(&self, uid: &str, limit: Duration) -> Result<TaskResult, Fault> {
        let end = Instant::now() + limit;
        loop {
            let params = json!({ "task_uid": uid });
            let task: Task = self
                .control
                .ask("task_result", params, Urgency::Urgent)
                .await?;
            match (task.status.as_str(), task.result) {
                ("completed", Some(result)) => return Ok(result),
                ("running", _) => {}
                _ => {
                    let message =
                        "the RE Manager does not know how it ended; its environment may have gone";
                    return Err(Fault::new(FaultKind::UnknownOutcome, message));
                }
            }
            if Instant::now() >= end {
                let message = "it has not ended in time, and goes on";
                return Err(Fault::new(FaultKind::Timeout, message));
            }
            sleep(TASK_LOOK).await;
        }
    }

    /// Has the shim tell something under a number, and waits for it.
    ///
    /// # Errors
    /// What was raised (`Invalid`); `Unsupported` if nothing that is printed can be heard.
    pub async fn question(
        &self,
        ask: impl FnOnce(u64) -> String,
        limit: Duration,
    ) -> Result<RawJson, Fault> {
        let mut hears = self.hears.subscribe();
        if timeout(FIRST_WORD, hears.wait_for(|hears| *hears))
            .await
            .is_err()
        {
            return Err(Fault::new(FaultKind::Unsupported, UNHEARD));
        }
        let nonce = fastrand::u64(..1 << 53);
        let (answer, answered) = oneshot::channel();
        let _asked = Asked::new(self, nonce, answer);
        self.run_beside(ask(nonce), limit).await?;
        match timeout(limit, answered).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(raised))) => {
                let message = format!("the expression raised {raised}");
                Err(Fault::new(FaultKind::Invalid, message))
            }
            _ => Err(Fault::new(
                FaultKind::Timeout,
                "the value did not come over the console stream",
            )),
        }
    }

    /// Whether nothing is heard on the console stream. Without an environment there would be nothing to hear.
    pub fn is_deaf(&self) -> bool {
        let has_environment = self.jobs().status().worker_environment_exists;
        self.config.info.is_empty() || (has_environment && !*self.hears.borrow())
    }

    /// Gives whoever asked under that number the answer.
    pub fn answer(&self, nonce: u64, told: Told) {
        let asked = self.lock_asked().remove(&nonce);
        // Who asked may have gone.
        let _ = asked.map(|asked| asked.send(told));
    }

    /// Looks at everything anew, soon.
    pub fn doubt(&self) {
        self.doubt.store(true, Ordering::Release);
        self.hurry.notify_one();
    }

    /// Waits until two further looks are over, of which the first may have begun already.
    pub async fn looked(&self, limit: Duration) {
        let mut looks = self.looks.subscribe();
        let wanted = *looks.borrow() + 2;
        self.hurry.notify_one();
        let _ = timeout(limit, looks.wait_for(|looks| *looks >= wanted)).await;
    }

    /// How long `eval` and `exec` may take.
    pub fn eval_deadline(&self) -> Duration {
        seconds(self.config.eval_deadline_s)
    }

    fn lock_asked(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Told>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is open; closed when nobody waits any more.
struct Asked<'a> {
    server: &'a Server,
    nonce: u64,
}

impl<'a> Asked<'a> {
    fn new(server: &'a Server, nonce: u64, answer: oneshot::Sender<Told>) -> Self {
        server.lock_asked().insert(nonce, answer);
        Asked { server, nonce }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.server.lock_asked().remove(&self.nonce);
    }
}

/// The last line of a traceback, which says what was raised.
#[must_use]
pub fn raised(result: &TaskResult) -> String {
    let lines = result.traceback.lines().rev();
    let mut said =
        lines.filter(|line| !line.trim().is_empty() && !line.starts_with("Failed to execute"));
    let text = said.next().filter(|line| !line.starts_with(' '));
    text.unwrap_or(&result.msg).to_owned()
}

/// Unix seconds.
#[must_use]
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

//! The neutral model's JSON, as far as this backend speaks it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// Nothing runs.
    Idle,
    /// Nothing runs, and the last script failed or was stopped.
    IdleAfterFailure,
    /// A script runs.
    Running,
    /// A script is held.
    Paused,
    /// A script is being stopped.
    Stopping,
    /// There is no worker.
    Unknown,
}

/// Whether there is a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// It is ready.
    Up,
    /// It cannot be started, or was closed.
    Down,
    /// It is being started.
    Connecting,
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Runs.
    Running,
    /// Is held.
    Paused,
    /// Came to its end.
    Succeeded,
    /// Ended by an error or a stop.
    Failed,
    /// Was taken from the queue.
    Removed,
    /// Was running when the gateway was killed, and was killed with it.
    Lost,
}

impl JobState {
    /// As it stands in JSON and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Removed => "removed",
            Self::Lost => "lost",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Queued,
            Self::Running,
            Self::Paused,
            Self::Succeeded,
            Self::Failed,
            Self::Removed,
            Self::Lost,
        ];
        all.into_iter().find(|state| state.as_str() == name)
    }
}

/// A job as `job` and `status` show it. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRecord {
    /// Its id, for ever.
    pub id: String,
    /// The script's name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: String,
    /// Where it is in its life.
    pub state: JobState,
    /// When it was asked for.
    pub submitted: f64,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<f64>,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A job with its script.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What everybody may know of it.
    pub record: JobRecord,
    /// Its text.
    pub code: Arc<str>,
}

impl Job {
    /// What to call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.record.name.as_deref().unwrap_or("script")
    }
}

/// The body of a `state` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateBody {
    /// What the worker is doing.
    pub run: Run,
    /// At which line of the script, counted from 1.
    pub line: Option<u64>,
    /// Whether there is a worker.
    pub link: LinkState,
}

/// The body of a `job` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobBody<'a> {
    /// What happened to it.
    pub state: &'a str,
    /// The script's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// Who asked for it.
    pub user: &'a str,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JobState>,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

/// A message, in `log` and in `log` events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogLine {
    /// Unix seconds; no two messages have the same.
    pub time: f64,
    /// `debug`, `info`, `input`, `warning` or `error`.
    pub level: String,
    /// Who says it.
    pub logger: String,
    /// What.
    pub text: String,
    /// The job that says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Python's traceback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
}

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prompt {
    /// Its id.
    pub prompt: String,
    /// What is asked.
    pub text: String,
    /// A value is wanted: always, as `input` has it.
    pub input: bool,
    /// The job that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

/// A queued script, in `status`.
#[derive(Debug, Clone, Serialize)]
pub struct QueuedJob {
    /// The job's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: String,
    /// Its text.
    pub body: Arc<str>,
}

/// The script that runs, in `status`.
#[derive(Debug, Clone, Serialize)]
pub struct RunningJob {
    /// The job's id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: String,
    /// Its text.
    pub body: Arc<str>,
    /// The line it is at, counted from 1.
    pub line: Option<u64>,
    /// When it began.
    pub started: Option<f64>,
}

/// The script that ended last, in `status`.
#[derive(Debug, Clone, Serialize)]
pub struct LastJob {
    /// What is known of it.
    #[serde(flatten)]
    pub record: JobRecord,
    /// Its text: some clients show it until another one begins.
    pub body: Arc<str>,
}

/// The reply to `status`.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReply {
    /// Whether there is a worker.
    pub link: LinkState,
    /// What it is doing.
    pub run: Run,
    /// The script that runs.
    pub job: Option<RunningJob>,
    /// What waits, in order.
    pub queue: Vec<QueuedJob>,
    /// Why what waits does not begin; `resume` lets it.
    pub held: Option<String>,
    /// The job that ended last.
    pub last: Option<LastJob>,
    /// What the running script asks, if it waits for an answer.
    pub prompt: Option<Prompt>,
}

/// The answer of the worker to what was evaluated in it.
pub type Answer = Result<Value, patchbay_sdk::Fault>;

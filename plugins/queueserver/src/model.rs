//! The neutral model's JSON, as far as this backend speaks it.

use serde::Serialize;

/// What the server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// Nothing runs.
    Idle,
    /// Nothing runs, and the last job failed or was stopped.
    IdleAfterFailure,
    /// The environment is being opened.
    Starting,
    /// A job runs.
    Running,
    /// A job is held.
    Paused,
    /// A job is being stopped.
    Stopping,
    /// The process in which jobs run does not live any more, and the server does not notice.
    Wedged,
    /// Not known, because the link is down or the server says something new.
    Unknown,
}

/// Whether the server can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// It can.
    Up,
    /// It cannot.
    Down,
    /// Not yet known.
    Connecting,
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Runs.
    Running,
    /// Is held.
    Paused,
    /// Ended, and the server said that it succeeded.
    Succeeded,
    /// Ended by an error or a stop.
    Failed,
    /// Was taken from the queue.
    Removed,
    /// Was with a server or an environment that is no more.
    Lost,
    /// Ended while nobody could see how.
    Unknown,
}

impl JobState {
    /// Whether the job has not ended.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Paused)
    }
}

/// What a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Python text.
    Script,
    /// A plan with parameters.
    Plan,
    /// An order to the queue, such as to stop.
    Instruction,
}

/// A job as `job` and `status` show it. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRecord {
    /// Never changes, whatever the server does to its own.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: Option<String>,
    /// Where it is in its life.
    pub state: JobState,
    /// What it is.
    pub kind: JobKind,
    /// Another client of the server put it there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<f64>,
    /// The server's own word on its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The body of a `state` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateBody {
    /// What the server is doing.
    pub run: Run,
    /// At which line of the script, counted from 1.
    pub line: Option<i64>,
    /// Whether it can be reached.
    pub link: LinkState,
}

/// The body of a `job` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobBody {
    /// What happened to it.
    pub state: &'static str,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JobState>,
}

/// A message, in `log` and in `log` events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogLine {
    /// Unix seconds by the server's clock.
    pub time: f64,
    /// `debug`, `info`, `warning` or `error`.
    pub level: &'static str,
    /// Who says it.
    pub logger: String,
    /// What, without the newline at its end.
    pub text: String,
    /// The job that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Python's traceback, from the script's first line on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
}

/// A waiting job, in `status`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueuedJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: Option<String>,
    /// Its text.
    pub body: String,
    /// Another client of the server put it there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
}

/// The job that runs, in `status`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunningJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its text.
    pub body: String,
    /// The line it is at, counted from 1.
    pub line: Option<i64>,
    /// Another client of the server put it there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
}

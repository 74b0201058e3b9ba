//! The neutral model's JSON, as far as this backend speaks it.

use patchbay_sdk::RawJson;
use serde::Serialize;

use crate::prompts::Prompt;
use crate::shape::{Message, Request};

/// What the server is doing.
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
    /// Not known, because the link is down or the daemon says something new.
    Unknown,
}

/// Whether the daemon can be reached.
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
    /// Ended, and NICOS said that it succeeded.
    Succeeded,
    /// Ended by an error or a stop.
    Failed,
    /// Was taken from the queue.
    Removed,
    /// Was with a daemon that is no more.
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

/// A job as `job` and `status` show it. Times are Unix seconds by this host's clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRecord {
    /// NICOS's request id.
    pub id: String,
    /// The script's name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: Option<String>,
    /// Where it is in its life.
    pub state: JobState,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<f64>,
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
    /// The script's name.
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
    /// Unix seconds by the daemon's clock.
    pub time: f64,
    /// `debug`, `info`, `action`, `input`, `warning` or `error`.
    pub level: &'static str,
    /// Who says it.
    pub logger: String,
    /// What, without the newline at its end.
    pub text: String,
    /// The job that began last before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Python's traceback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
}

impl From<Message> for LogLine {
    fn from(Message(logger, time, level, mut text, traceback, job): Message) -> Self {
        if text.ends_with('\n') {
            text.pop();
        }
        let job = job.filter(|id| !id.is_empty());
        Self {
            time,
            level: level_name(level),
            logger,
            text,
            job,
            traceback,
        }
    }
}

fn level_name(level: i64) -> &'static str {
    match level {
        ..=19 => "debug",
        21 => "action",
        26 => "input",
        20..=29 => "info",
        30..=39 => "warning",
        _ => "error",
    }
}

/// A queued script, in `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueuedJob {
    /// NICOS's request id.
    pub id: String,
    /// The script's name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: Option<String>,
    /// Its text.
    pub body: String,
}

impl From<Request> for QueuedJob {
    fn from(request: Request) -> Self {
        let body = request.script.unwrap_or_default();
        Self {
            id: request.reqid,
            name: request.name.filter(|name| !name.is_empty()),
            user: request.user,
            body,
        }
    }
}

/// The script that runs, in `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunningJob {
    /// NICOS's request id; absent if it began before anybody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its text.
    pub body: String,
    /// The line it is at, counted from 1.
    pub line: Option<i64>,
}

/// What NICOS itself said, for clients that know it.
#[derive(Debug, Serialize)]
pub struct Native<T = RawJson> {
    /// In NICOS's own form.
    pub nicos: T,
}

/// The reply to `status`.
#[derive(Debug, Serialize)]
pub struct StatusReply {
    /// Whether the daemon can be reached.
    pub link: LinkState,
    /// What it is doing.
    pub run: Run,
    /// The script that runs.
    pub job: Option<RunningJob>,
    /// What waits, in order.
    pub queue: Vec<QueuedJob>,
    /// The job that ended last.
    pub last: Option<JobRecord>,
    /// What the running script asks, if it waits for an answer.
    pub prompt: Option<Prompt>,
    /// `getstatus`, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Native>,
}

/// The reply to `log`.
#[derive(Debug, Serialize)]
pub struct LogReply {
    /// The messages, oldest first.
    pub messages: Vec<LogLine>,
    /// `getmessages`, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Native>,
}

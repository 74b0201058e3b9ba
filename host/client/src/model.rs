//! What a script server says, as far as people are shown it. Fields that are missing or new do no harm.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer to `status`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) link: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) job: Option<Running>,
    pub(crate) queue: Vec<Waiting>,
    pub(crate) last: Option<Job>,
    pub(crate) prompt: Option<Prompt>,
    /// How old this is, in seconds, if it is remembered,
    pub(crate) age_s: Option<f64>,
    /// and why there is nothing newer.
    pub(crate) stale: Option<String>,
}

/// The script that runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Running {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) body: String,
    pub(crate) line: Option<u64>,
}

/// A script that waits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) body: String,
}

/// What is known of a script; times are Unix seconds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) state: String,
    pub(crate) started: Option<f64>,
    pub(crate) ended: Option<f64>,
}

/// What a script asks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Prompt {
    pub(crate) prompt: String,
    pub(crate) text: String,
    /// Whether a value is wanted.
    pub(crate) input: bool,
    pub(crate) choices: Option<Vec<Value>>,
    pub(crate) default: Option<Value>,
}

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LogLine {
    pub(crate) time: f64,
    pub(crate) level: String,
    pub(crate) logger: String,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traceback: Option<String>,
}

/// The answer to `log`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Log {
    pub(crate) messages: Vec<LogLine>,
}

/// Whether a script in this state has ended.
pub(crate) fn has_ended(state: &str) -> bool {
    !matches!(state, "queued" | "running" | "paused")
}

/// What to call a script.
pub(crate) fn name_or_id<'a>(name: Option<&'a str>, id: &'a str) -> &'a str {
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| short(id))
}

/// As much of an id as people need.
pub(crate) fn short(id: &str) -> &str {
    match id.char_indices().nth(8) {
        Some((end, _)) => &id[..end],
        None => id,
    }
}

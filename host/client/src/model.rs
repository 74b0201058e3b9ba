//! What a script server says, as far as people are shown it and where that is not just as the model has it. Fields that are
//! missing or new do no harm.

use patchbay_sdk::model::{JobRecord, QueuedJob, RunningJob};
use serde::Deserialize;
use serde_json::Value;

/// The answer to `status`, with what the gateway adds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) link: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) job: Option<RunningJob>,
    pub(crate) queue: Vec<QueuedJob>,
    pub(crate) last: Option<JobRecord>,
    pub(crate) prompt: Option<Prompt>,
    /// How old this is, in seconds, if it is remembered,
    pub(crate) age_s: Option<f64>,
    /// and why there is nothing newer.
    pub(crate) stale: Option<String>,
}

/// What a script asks, its values parsed to be shown.
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

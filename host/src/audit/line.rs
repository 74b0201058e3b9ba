//! One line.

use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// Something that was done, or refused.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When it ended, in seconds since 1970.
    pub time: f64,
    /// The operation; `login`, or an operator's order such as `patchbay route`.
    pub op: String,
    /// `done`, or the kind of the fault: `forbidden`, `unknown-outcome`, …
    pub outcome: String,
    /// Who; for an operator the number of the user on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Where they are, as their frontend says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Through which frontend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<String>,
    /// In which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u64>,
    /// At which backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The host's number of the request, as in its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The beginning of the digest of its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The job that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// What an operator's order was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// So often within the last seconds, all alike; once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

impl Line {
    /// A line of now.
    pub fn new(op: &str, outcome: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.map_or(0.0, |since| since.as_secs_f64());
        Line {
            // Microseconds are more than enough.
            time: (seconds * 1e6).round() / 1e6,
            op: op.to_owned(),
            outcome: outcome.to_owned(),
            ..Line::default()
        }
    }

    /// Whether it tells of something that was not done because it must not be.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self.outcome.as_str(),
            "invalid" | "unsupported" | "unauthorized" | "forbidden" | "too-large" | "busy"
        )
    }
}

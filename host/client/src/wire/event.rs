//! What happens at the script server, as the gateway tells it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The number of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
}

/// One event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(default)]
    pub(crate) epoch: u64,
    #[serde(default)]
    pub(crate) seq: u64,
    #[serde(default)]
    pub(crate) time: f64,
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<String>,
    #[serde(default)]
    pub(crate) body: Value,
}

impl Event {
    /// What stands in place of events that are missing.
    pub(crate) fn gap() -> Self {
        Self {
            epoch: 0,
            seq: 0,
            time: 0.0,
            kind: "gap".to_owned(),
            job: None,
            body: Value::Null,
        }
    }

    /// Its number, from which on more may be asked for; what we have made up ourselves has none.
    pub(crate) fn cursor(&self) -> Option<Cursor> {
        let (epoch, seq) = (self.epoch, self.seq);
        (epoch > 0).then_some(Cursor { epoch, seq })
    }

    /// A text in its body.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }
}

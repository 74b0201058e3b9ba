//! What each [`crate::Kind`] carries in its head: JSON by serde.
//!
//! Rules of evolution: fields may be added with a default, none is removed or changes its meaning,
//! unknown fields are ignored.

use crate::Fault;
use serde::{Deserialize, Serialize};

/// Of `START`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Start {
    /// The instance's name in the configuration.
    pub instance: String,
    /// The level of [`Level`] to begin with.
    pub level: String,
}

/// Of `STOP`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stop {
    /// Milliseconds until the host stops waiting.
    pub deadline_ms: u64,
}

/// Of `LEVEL`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Level {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
}

/// Of `LOGIN`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Login {
    /// The session to be, in the host's numbering; 0 from a frontend, which learns it by the reply.
    #[serde(default)]
    pub session: u64,
    /// Who wants to log in.
    pub user: String,
    /// Where the client is, for logs: an address, a queue's name.
    #[serde(default)]
    pub client: String,
    /// From the host: it knows who this is, and lets them do this much; there is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched: Option<String>,
}

/// The answer to a `LOGIN`, in the head of its `REPLY`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Session {
    /// In the host's numbering.
    pub session: u64,
    /// `view`, `user`, `expert` or `admin`.
    pub role: String,
}

/// Of `LOGOUT`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Logout {
    /// Which session.
    pub session: u64,
}

/// Of `CALL`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Call {
    /// In which session; 0: none.
    #[serde(default)]
    pub session: u64,
    /// The neutral operation.
    pub op: String,
    /// Milliseconds until the host answers for the backend; 0 from a frontend: the host's default.
    #[serde(default)]
    pub deadline_ms: u64,
    /// Goes before everything else.
    #[serde(default)]
    pub urgent: bool,
    /// From a frontend: the client's own name for this request. The same name again is not carried
    /// out again; the host answers as before, even if the session (0: none) is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// From a frontend, with a `key` and without a session: in which session the backend may be asked what became of
    /// the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asker: Option<u64>,
    /// What the client calls this request, for logs: it need not be unique, and proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Of `REPLY`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reply {
    /// Why there is no answer; the body is empty then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// If a `LOGIN` is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// From the host, if a `CALL` is answered: its number of the request, as it stands in the logs; 0 if there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub request: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Of `EVENT`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// Which life of the backend; the host fills it in.
    #[serde(default)]
    pub epoch: u64,
    /// Counts up by one within an epoch; the host fills it in. That of a private event is the
    /// number of the event before it.
    #[serde(default)]
    pub seq: u64,
    /// Seconds since 1970 when the host took it; the host fills it in.
    #[serde(default)]
    pub time: f64,
    /// `state`, `job`, `log`, `gap`, …
    pub kind: String,
    /// The job that it belongs to, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The only session that it is for; absent if it is for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u64>,
}

/// Of `SUBSCRIBE`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subscribe {
    /// After which event; absent: from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// The number of an event. Epoch 0 is nobody's: it stands before all that is kept.
///
/// ```
/// use patchbay_abi::head::Since;
/// let seen = Since { epoch: 3, seq: 7 };
/// assert!(seen < Since { epoch: 4, seq: 1 }, "another life is later, whatever its numbers");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Since {
    /// In which life of the backend.
    pub epoch: u64,
    /// The last one that was seen.
    pub seq: u64,
}

/// Where a backend is when somebody subscribes: the body of the `REPLY` to a `SUBSCRIBE` that has an
/// id.
///
/// ```
/// use patchbay_abi::head::Position;
/// let position: Position = serde_json::from_str(r#"{"epoch": 3, "first": 5, "next": 8}"#)?;
/// assert_eq!(position.next - position.first, 3, "so many are kept");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Position {
    /// Its present life; 0 if it has not lived yet.
    pub epoch: u64,
    /// The number of the first event that is kept; `next` if none is.
    pub first: u64,
    /// The number that its next event gets.
    pub next: u64,
}

/// Of `CREDIT`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Credit {
    /// How many more events may be sent.
    pub events: u32,
}

/// Of `LOG`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The module that speaks.
    #[serde(default)]
    pub target: String,
    /// `file:line`, where known.
    #[serde(default)]
    pub at: String,
    /// Spans and fields, `name=value` each, outermost first.
    #[serde(default)]
    pub fields: Vec<(String, String)>,
    /// The text.
    pub message: String,
}

/// Of `METRIC`: something was counted (`add`), there is so much of it now (`set`), or it took so long
/// (`seconds`).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Metric {
    /// Its name, in `snake_case`.
    pub counter: String,
    /// By how much it grew.
    #[serde(default)]
    pub add: u64,
    /// How much there is of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<i64>,
    /// How long it took, each time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seconds: Vec<f32>,
}

impl Metric {
    /// A counter that grew.
    pub fn counted(counter: &str, add: u64) -> Self {
        Metric {
            counter: counter.to_owned(),
            add,
            ..Metric::default()
        }
    }

    /// How much there is of something now.
    pub fn level(gauge: &str, value: i64) -> Self {
        Metric {
            counter: gauge.to_owned(),
            set: Some(value),
            ..Metric::default()
        }
    }
}

/// Of `HEALTH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Health {
    /// `up`, `degraded` or `down`.
    pub state: String,
    /// Why, if not up.
    #[serde(default)]
    pub reason: String,
}

//! What a client wants.

use patchbay_dialect_nicos::Call as DialectCall;
use patchbay_sdk::model::Op;
use patchbay_sdk::{EventKind, RawJson, Secret};
use serde::{Deserialize, Serialize};

/// What a client wants.
#[derive(Debug)]
pub enum Wish {
    /// To log in.
    Login {
        /// Who.
        user: String,
        /// The password, as sent.
        secret: Secret,
    },
    /// To end the session.
    Logout,
    /// Nothing: a sign of life.
    Nothing,
    /// To be told of events from now on, or from an earlier one.
    Subscribe(Subscription),
    /// Not to be told of events any more.
    Unsubscribe,
    /// An operation of the neutral model.
    Call(Call),
}

/// An operation of the neutral model.
///
/// ```
/// use patchbay_dialect_json::{Wish, read};
///
/// let Ok(Wish::Call(stop)) = read(r#"{"op": "stop"}"#).wish else { panic!("it is a call") };
/// assert!(stop.urgent() && stop.changes() && !stop.is_emergency());
/// ```
#[derive(Debug)]
pub struct Call {
    /// Its name.
    pub op: String,
    /// Its arguments, an object.
    pub args: RawJson,
    /// What the model says of it.
    pub known: Option<&'static Op>,
    /// The client's own name for it, under which it is carried out once at the most.
    pub key: Option<String>,
    /// For clients that speak NICOS's words: what the reply has to become.
    pub dialect: Option<DialectCall>,
}

/// Which events.
///
/// ```
/// use patchbay_dialect_json::{Wish, read};
/// use patchbay_sdk::EventKind;
///
/// let request = read(r#"{"op": "subscribe", "args": {"kinds": ["log"]}}"#);
/// let Ok(Wish::Subscribe(wanted)) = request.wish else { panic!("it subscribes") };
/// assert!(wanted.wants(&EventKind::Log) && wanted.wants(&EventKind::Gap));
/// assert!(!wanted.wants(&EventKind::State));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// After that one; without it from now on.
    #[serde(default)]
    pub since: Option<Since>,
    /// Only of these kinds; without it of all. `gap` always.
    #[serde(default)]
    pub kinds: Option<Vec<String>>,
}

/// An event's number. Those of a later life of the backend are greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// In which life of the backend.
    pub epoch: u64,
    /// The last one that is known.
    pub seq: u64,
}

impl Subscription {
    /// Whether events of that kind are wanted.
    pub fn wants(&self, kind: &EventKind) -> bool {
        let named = |kinds: &Vec<String>| kinds.iter().any(|name| name == kind.as_str());
        *kind == EventKind::Gap || self.kinds.as_ref().is_none_or(named)
    }
}

impl Call {
    /// Must not be done twice unasked. What the model does not know may change anything.
    pub fn changes(&self) -> bool {
        self.known.is_none_or(|op| op.changes)
    }

    /// Must be passed on whatever limit is reached.
    pub fn is_emergency(&self) -> bool {
        self.known.is_some_and(Op::is_emergency)
    }

    /// Must not wait behind the client's other requests.
    pub fn urgent(&self) -> bool {
        self.known.is_some_and(|op| op.urgent)
    }
}

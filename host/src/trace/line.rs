//! One thing that crossed the boundary.

use super::redact::shown;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What crossed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A request, from a frontend to a backend.
    Request,
    /// What came of a request.
    Answer,
    /// An event, from a backend.
    Event,
}

/// It, as it happens.
pub struct Moment<'a> {
    /// What it is.
    pub what: What,
    /// The host's number of the request; 0 if it was refused before it had one.
    pub request: u64,
    /// The client's session; 0 if there is none.
    pub session: u64,
    /// Who that is.
    pub user: &'a str,
    /// The operation, or the kind of the event.
    pub op: &'a str,
    /// Through which frontend; empty for an event that is for all.
    pub frontend: &'a str,
    /// Which backend.
    pub backend: &'a str,
    /// What the client calls the request.
    pub reference: Option<String>,
    /// What crosses, in bytes.
    pub bytes: usize,
    /// JSON.
    pub body: &'a [u8],
    /// `ok`, or the kind of the fault.
    pub outcome: Option<&'static str>,
    /// How long the host had it.
    pub host: Option<Duration>,
    /// How long the backend had it.
    pub at_backend: Option<Duration>,
}

/// It, as a viewer gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds since 1970.
    pub time: f64,
    /// What it is.
    pub what: What,
    /// The host's number of the request.
    pub request: u64,
    /// The client's session.
    pub session: u64,
    /// Who that is.
    pub user: String,
    /// The operation, or the kind of the event.
    pub op: String,
    /// Through which frontend.
    pub frontend: String,
    /// Which backend.
    pub backend: String,
    /// What the client calls the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What crosses, in bytes.
    pub bytes: usize,
    /// Shortened, and without what sounds like a secret.
    pub body: String,
    /// `ok`, or the kind of the fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How long the host had it, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_s: Option<f64>,
    /// How long the backend had it, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_s: Option<f64>,
}

impl<'a> Moment<'a> {
    /// Something between these two, of which nothing else is known yet.
    pub fn new(what: What, frontend: &'a str, backend: &'a str) -> Self {
        Moment {
            what,
            request: 0,
            session: 0,
            user: "",
            op: "",
            frontend,
            backend,
            reference: None,
            bytes: 0,
            body: b"",
            outcome: None,
            host: None,
            at_backend: None,
        }
    }

    pub(super) fn line(&self, bodies: usize) -> Line {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Line {
            time: now.map_or(0.0, |since| since.as_secs_f64()),
            what: self.what,
            request: self.request,
            session: self.session,
            user: self.user.to_owned(),
            op: self.op.to_owned(),
            frontend: self.frontend.to_owned(),
            backend: self.backend.to_owned(),
            reference: self.reference.clone(),
            bytes: self.bytes,
            body: shown(self.body, bodies),
            outcome: self.outcome.map(str::to_owned),
            host_s: self.host.map(|host| host.as_secs_f64()),
            backend_s: self.at_backend.map(|time| time.as_secs_f64()),
        }
    }
}

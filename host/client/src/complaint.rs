//! Why something could not be done, for the person who asked for it.

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::wire::{Failure, Refusal};

/// An error with its exit status, a sentence, and what to do about it.
#[derive(Debug, Clone)]
pub(crate) struct Complaint {
    pub(crate) exit: Exit,
    /// For programs: the gateway's own kinds, and `connect`, `usage`, `local`, `lost` and `interrupted`.
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) advice: Option<String>,
}

/// What most functions here return.
pub(crate) type Result<T, E = Complaint> = std::result::Result<T, E>;

impl Complaint {
    fn new(exit: Exit, kind: &str, message: impl Into<String>) -> Self {
        let (kind, message) = (kind.to_owned(), message.into());
        Self {
            exit,
            kind,
            message,
            advice: None,
        }
    }

    /// There is no gateway to talk to.
    pub(crate) fn connect(message: impl Into<String>) -> Self {
        Self::new(Exit::NotConnected, "connect", message)
    }

    /// Nobody said who is asking, or that was wrong.
    pub(crate) fn login(message: impl Into<String>) -> Self {
        Self::new(Exit::NotConnected, "unauthorized", message)
    }

    /// What was asked for makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "usage", message)
    }

    /// A file, a terminal or the like did not do what it should.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "local", message)
    }

    /// It is not known how something has ended.
    pub(crate) fn lost(message: impl Into<String>) -> Self {
        Self::new(Exit::Unknown, "lost", message)
    }

    /// Ctrl-C.
    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Exit::GivenUp, "interrupted", message)
    }

    /// With what to do about it.
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// As scripts read it.
    pub(crate) fn to_json(&self) -> Value {
        json!({"error": {"kind": self.kind, "message": self.message}})
    }
}

impl From<Refusal> for Complaint {
    fn from(refusal: Refusal) -> Self {
        let exit = match refusal.kind.as_str() {
            "unauthorized" => Exit::NotConnected,
            "timeout" | "unknown-outcome" => Exit::Unknown,
            _ => Exit::Failed,
        };
        let complaint = Self::new(exit, &refusal.kind, refusal.message);
        match refusal.kind.as_str() {
            "timeout" | "unknown-outcome" => {
                complaint.advice("it may have been done: look at `status` and `log` first")
            }
            "forbidden" => complaint.advice("log in as somebody who may: `patchbay client login`"),
            _ => complaint,
        }
    }
}

impl From<Failure> for Complaint {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Interrupted => Self::interrupted("given up; it may still be done"),
            Failure::Broken(why) => Self::lost(why)
                .advice("it may have been done: look at `status` and `log` before asking again"),
        }
    }
}

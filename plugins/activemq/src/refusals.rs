//! Why a request is not carried out, in sentences for the person in front of the screen.

use patchbay_dialect_json::Call;
use patchbay_sdk::{Fault, FaultKind};

use crate::config::{Events, Settings};

/// It was done, and more is not known.
pub fn was_done() -> Fault {
    let text = "this request was carried out already, and its answer was too long to keep; look at the queue and the log";
    Fault::new(FaultKind::UnknownOutcome, text)
}

/// Events go elsewhere.
pub fn no_subscriptions(settings: &Settings) -> Fault {
    let text = match settings.events {
        Events::Topic => format!(
            "events are published to the topics `{}.events.<kind>`; listen there",
            settings.queue
        ),
        Events::ReplyTo | Events::Off => {
            "this gateway publishes no events (events = \"off\")".to_owned()
        }
    };
    Fault::new(FaultKind::Unsupported, text)
}

/// There is no session.
pub fn stranger() -> Fault {
    let text = "you are not logged in at the gateway, perhaps because it was restarted; reconnect to log in again";
    Fault::new(FaultKind::Unauthorized, text)
}

/// An earlier life of the gateway had it.
pub fn may_be_done(call: &Call) -> Fault {
    let text = format!(
        "the gateway was interrupted at this `{}`, which may already have been done; look at the queue and the log before you send it again",
        call.op
    );
    Fault::new(FaultKind::UnknownOutcome, text)
}

/// Another message says that it is the same.
pub fn copy() -> Fault {
    let text = "another message with this id says the same and is being carried out; this one was not carried out";
    Fault::new(FaultKind::Conflict, text)
}

/// Its sender has gone.
pub fn stale() -> Fault {
    let text = "this request has waited for the gateway and its sender seemed to have gone; it was not carried out";
    Fault::new(FaultKind::Cancelled, text)
}

/// Nothing new is begun.
pub fn stopping() -> Fault {
    let text = "the gateway is being shut down; this request was not carried out, send it again in a moment";
    Fault::new(FaultKind::ShuttingDown, text)
}

/// There is no place for it.
pub fn too_many() -> Fault {
    let text = "the gateway has too many requests to do; this one was not carried out";
    Fault::new(FaultKind::Busy, text)
}

/// Its sender has sent too many.
pub fn too_many_of_yours(limit: u16) -> Fault {
    let text =
        format!("{limit} requests of yours are waiting already; this one was not carried out");
    Fault::new(FaultKind::Busy, text)
}

/// Too many others are new here.
pub fn crowded() -> Fault {
    let text = "too many clients are logging in at the moment; try again";
    Fault::new(FaultKind::Busy, text)
}

/// Its sender does not want it any more.
pub fn expired() -> Fault {
    let text =
        "this request had expired (JMSExpiration) before its turn came; it was not carried out";
    Fault::new(FaultKind::Cancelled, text)
}

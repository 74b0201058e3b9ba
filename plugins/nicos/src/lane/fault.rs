//! What callers are told when a command gets no answer.

use patchbay_sdk::{Fault, FaultKind};

use crate::verb::Verb;

/// What calls are told while there is no link for this reason.
pub(super) fn as_told(fault: &Fault) -> Fault {
    match fault.kind {
        FaultKind::Unavailable | FaultKind::Busy => fault.clone(),
        FaultKind::Unauthorized => Fault::new(
            FaultKind::Unauthorized,
            format!("log in again: {}", fault.message),
        ),
        _ => Fault::new(
            FaultKind::Unavailable,
            format!("the daemon is there but of no use: {}", fault.message),
        ),
    }
}

/// The fault of a command whose turn came too late.
pub(super) fn not_sent() -> Fault {
    let message = "the command waited for its turn until its deadline came, and was not sent";
    Fault::new(FaultKind::Unavailable, message)
}

/// The fault of a command that was sent, and whose reply did not come.
pub(super) fn no_reply(verb: Verb, address: &str, cause: &str) -> Fault {
    let name = verb.name;
    match verb.changes {
        true => Fault::new(
            FaultKind::UnknownOutcome,
            format!(
                "whether NICOS at {address} carried out `{name}` is unknown ({cause}); look at its state before trying again"
            ),
        ),
        false => Fault::new(
            FaultKind::Timeout,
            format!("NICOS at {address} did not answer `{name}`: {cause}"),
        )
        .retry(true),
    }
}

/// The fault of a command that comes when the connection is being closed.
pub(super) fn closing() -> Fault {
    Fault::new(
        FaultKind::ShuttingDown,
        "the connection to NICOS is being closed",
    )
}

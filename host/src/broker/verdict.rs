//! What is said of requests that are carried out once, where there is no answer.

use crate::intents::Trouble;
use patchbay_abi::{Fault, FaultKind, Side};

/// Whether a fault is the word that the request had no effect, so that its key may be used again.
pub(super) fn nothing_was_done(fault: &Fault) -> bool {
    use FaultKind::*;
    matches!(
        fault.kind,
        Invalid
            | Unsupported
            | Unauthorized
            | Forbidden
            | NotFound
            | Conflict
            | Busy
            | Unavailable
            | ShuttingDown
    )
}

pub(super) fn interrupted() -> Fault {
    let text = "the gateway or the script server was interrupted at this request: it may have been \
                carried out, but its job is not to be found; look at the queue and the log before \
                you send it anew";
    Fault::new(FaultKind::UnknownOutcome, text)
}

pub(super) fn given_up() -> Fault {
    let text = "the request was given up before it was sent; nothing was done";
    Fault::new(FaultKind::Cancelled, text)
}

pub(super) fn used_otherwise() -> Fault {
    let text = "this key was used for another request; take a new key for each job";
    Fault::new(FaultKind::Conflict, text)
}

/// Whoever is told that nothing was done sends it again; but an earlier life may have done it.
pub(super) fn not_known(trouble: &Trouble) -> Fault {
    let text = format!(
        "this was not carried out now; whether it was before is not known, because the gateway \
         cannot read its notes: an operator has to mend the state directory ({trouble})"
    );
    Fault::new(FaultKind::UnknownOutcome, text).side(Side::Gateway)
}

pub(super) fn not_noted(trouble: &Trouble) -> Fault {
    let text = format!(
        "nothing was done: the gateway cannot note this request, and unnoted it could be done twice; \
         an operator has to mend the state directory ({trouble})"
    );
    Fault::new(FaultKind::Unavailable, text).side(Side::Gateway)
}

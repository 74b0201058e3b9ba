//! What NICOS's refusals mean.
//!
//! Source: `send_error_reply` in NICOS's `nicos/services/daemon/handler.py`, and `ScriptError` in `script.py` beside it.

use patchbay_sdk::{Fault, FaultKind, Side};

use crate::verb::Verb;

/// What NICOS says when a command has raised something inside it.
pub const FAILED: &str = "exception occurred executing command";

/// A refusal as a fault: what it means in the model's words, and NICOS's own.
#[must_use]
pub fn fault(verb: Verb, text: &str) -> Fault {
    let (kind, meaning) = meaning(text);
    let fault = Fault::new(
        kind.clone(),
        format!("{meaning}; NICOS answers `{}` with “{text}”", verb.name),
    );
    match kind {
        FaultKind::Internal => fault.side(Side::Backend),
        _ => fault,
    }
}

fn meaning(text: &str) -> (FaultKind, &'static str) {
    match text {
        "no script is running" => (FaultKind::Conflict, "nothing is running"),
        "a script is running" => (
            FaultKind::Conflict,
            "a script is running; queue this one instead, or wait",
        ),
        "script is already paused" => (FaultKind::Conflict, "the script is paused already"),
        "script is already stopping" | "script is stopping" => {
            (FaultKind::Conflict, "the script is being stopped")
        }
        "script is not paused" => (FaultKind::Conflict, "the script is not paused"),
        "could not continue script" => (FaultKind::Conflict, "the script could not be resumed"),
        "script already executing" => (
            FaultKind::Conflict,
            "the job is not in the queue: it has begun, or has ended",
        ),
        "script doesn't exist" => (FaultKind::NotFound, "there is no such job"),
        "new script differs in already executed part of the code" => (
            FaultKind::Conflict,
            "what has been executed already cannot be changed",
        ),
        "new script too short" => (
            FaultKind::Conflict,
            "the script has come further than the new one is long",
        ),
        "cannot update single-line script" => (
            FaultKind::Conflict,
            "a script of one line cannot be changed while it runs",
        ),
        "Inconsistency between clients script IDs and queued IDs" => (
            FaultKind::Conflict,
            "the queue has changed meanwhile; give the ids of all jobs that wait",
        ),
        _ if text.starts_with("exception raised running simulation") => (
            FaultKind::Unsupported,
            "the dry run could not be started; NICOS needs a value cache for it",
        ),
        "you do not have control of the session" => (
            FaultKind::Forbidden,
            "somebody of a higher level has control; ask them, or use a login of that level",
        ),
        FAILED => (FaultKind::Internal, "NICOS failed; its log says how"),
        "invalid number of arguments" | "invalid command or garbled data" => (
            FaultKind::Protocol,
            "this daemon understands the command differently",
        ),
        _ if text.starts_with("exception raised while evaluating") => {
            (FaultKind::Invalid, "the expression failed")
        }
        _ => (FaultKind::Invalid, "NICOS does not accept this"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verb;

    #[test]
    fn a_refusal_names_the_cause_and_quotes_nicos() {
        let fault = fault(verb::BREAK, "no script is running");
        assert_eq!(fault.kind, FaultKind::Conflict);
        assert_eq!(
            fault.message,
            "nothing is running; NICOS answers `break` with “no script is running”"
        );
    }

    #[test]
    fn a_failure_of_the_daemon_is_the_daemons() {
        assert_eq!(
            fault(verb::EVAL, "exception occurred executing command").side,
            Side::Backend
        );
    }
}

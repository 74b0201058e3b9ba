//! What the RE Manager's refusals mean. It says them in sentences only.
//!
//! Source: the handlers in bluesky-queueserver's `manager/manager.py`, and `plan_queue_ops.py` beside it.

use patchbay_sdk::{Fault, FaultKind};

/// What these sentences contain, and what it means.
const MEANINGS: &[(&str, FaultKind)] = &[
    ("Unknown method", FaultKind::Unsupported),
    ("is not in the list of allowed", FaultKind::NotFound),
    ("not in the list", FaultKind::NotFound),
    ("is not in the queue", FaultKind::NotFound),
    ("not in the queue", FaultKind::NotFound),
    ("is currently running", FaultKind::Conflict),
    ("Plan validation failed", FaultKind::Invalid),
    ("Unknown user group", FaultKind::Forbidden),
    ("is not allowed for users", FaultKind::Forbidden),
    ("Invalid lock key", FaultKind::Forbidden),
    ("is locked", FaultKind::Forbidden),
    ("unsupported parameter", FaultKind::Unsupported),
];

/// What one can see without changing anything; after all other methods it may matter whether they were carried out.
const LOOKS: &[&str] = &[
    "ping",
    "status",
    "config_get",
    "queue_get",
    "queue_item_get",
    "plans_allowed",
    "plans_existing",
    "devices_allowed",
    "devices_existing",
    "permissions_get",
    "history_get",
    "task_status",
    "task_result",
    "re_runs",
    "lock_info",
];

/// Whether a method may change something.
#[must_use]
pub fn changes(method: &str) -> bool {
    !LOOKS.contains(&method)
}

/// A refusal as a fault: what it means, and the server's own words.
#[must_use]
pub fn fault(method: &str, text: &str) -> Fault {
    // It gave up waiting for its own worker.
    if text.contains("Timeout occurred") || text.contains("timeout occurred") {
        let message = format!(
            "the RE Manager's worker does not answer it; the RE Manager says to `{method}`: “{text}”"
        );
        return Fault::new(FaultKind::Timeout, message);
    }
    if text.contains("Error") && text.contains("connecting to") {
        let message =
            format!("the RE Manager cannot reach its Redis; it says to `{method}`: “{text}”");
        return Fault::new(FaultKind::Unavailable, message);
    }
    // Its client library's words, in the middle of something.
    let lost = [
        "Connection closed by server",
        "Connection reset",
        "Timeout reading from",
    ];
    if lost.iter().any(|words| text.contains(words)) {
        let message = format!(
            "the RE Manager has lost its Redis, and it may or may not have been done; it says to `{method}`: “{text}”"
        );
        return Fault::new(FaultKind::UnknownOutcome, message);
    }
    let known = MEANINGS.iter().find(|(words, _)| text.contains(words));
    let kind = known.map_or(FaultKind::Conflict, |(_, kind)| kind.clone());
    let message = format!("the RE Manager refuses `{method}`: “{text}”");
    Fault::new(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_a_kind_and_the_servers_words() {
        let fault = fault(
            "re_stop",
            "RE Manager is not paused: current state is 'idle'",
        );
        assert_eq!(fault.kind, FaultKind::Conflict);
        assert!(fault.message.contains("is not paused"));
        assert!(changes("re_stop") && !changes("status"));
        let redis = [
            (
                "Failed to add an item: Error 111 connecting to 127.0.0.1:1. Connection refused.",
                FaultKind::Unavailable,
            ),
            (
                "Failed to add an item: Connection closed by server.",
                FaultKind::UnknownOutcome,
            ),
        ];
        for (text, kind) in redis {
            assert_eq!(super::fault("queue_item_add", text).kind, kind);
        }
    }
}

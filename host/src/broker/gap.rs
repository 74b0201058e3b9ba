//! What is said in place of events.

use patchbay_abi::{Kind, Message, head};

/// Tells a reader that it has missed the events up to that number, or, with 0, that the backend
/// has begun a new life.
pub(super) fn gap(epoch: u64, from: u64, to: u64) -> Message {
    let head = head::Event {
        epoch,
        seq: to,
        time: 0.0,
        kind: "gap".to_owned(),
        job: None,
        session: None,
    };
    let body = serde_json::json!({ "missed_from": from, "missed_to": to }).to_string();
    Message::new(Kind::EVENT, 0, &head).body(body)
}

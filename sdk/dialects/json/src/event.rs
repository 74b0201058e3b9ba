//! An event, for clients.

use patchbay_sdk::GatewayEvent;
use serde_json::json;

/// An event as one JSON object: `{"epoch", "seq", "time", "kind", "job", "body"}`. Blobs are left out.
pub fn event_text(event: &GatewayEvent) -> String {
    let head = json!({"epoch": event.epoch, "seq": event.seq, "time": event.time, "kind": event.kind.as_str(), "job": event.job});
    let head = head.to_string();
    // The body is JSON already and may be long; it is not parsed only to be written again.
    format!(
        "{},\"body\":{}}}",
        head.strip_suffix('}').unwrap_or(&head),
        event.body.get()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_sdk::{EventKind, RawJson};

    #[test]
    fn an_event_is_one_object() {
        let event = GatewayEvent {
            epoch: 1,
            seq: 2,
            time: 3.5,
            kind: EventKind::Log,
            job: Some("7".into()),
            session: None,
            body: RawJson::from_string(r#"{"text":"é"}"#.into()).unwrap(),
            blobs: Vec::new(),
        };
        let value: serde_json::Value = serde_json::from_str(&event_text(&event)).unwrap();
        assert_eq!(
            value,
            json!({"epoch": 1, "seq": 2, "time": 3.5, "kind": "log", "job": "7", "body": {"text": "é"}})
        );
    }
}

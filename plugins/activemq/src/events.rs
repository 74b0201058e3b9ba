//! Events to topics.

use std::sync::Arc;

use patchbay_dialect_json::event_text;
use patchbay_sdk::Events;

use crate::desk::Desk;
use crate::stomp::text::ascii;

/// Publishes events to `/topic/<queue>.events.<kind>` until there are none. They never wait: what cannot be sent at once
/// is dropped and counted, which readers see by the gap in `seq`.
pub async fn publish(mut events: Events, desk: Arc<Desk>) {
    let Desk {
        gateway,
        settings,
        outlet,
        ..
    } = &*desk;
    while let Some(event) = events.next().await {
        // A topic is for everybody.
        if event.session.is_some() {
            gateway.count("private_events_dropped", 1);
            continue;
        }
        let topic = topic(&settings.queue, event.kind.as_str());
        let sent = outlet.offer(&topic, ascii(event_text(&event)));
        gateway.count(if sent { "events" } else { "events_dropped" }, 1);
    }
}

/// Kinds come from plugins; one that is no plain word must not reach into other topics.
fn topic(queue: &str, kind: &str) -> String {
    let plain = !kind.is_empty()
        && kind.len() <= 40
        && kind
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    format!(
        "/topic/{queue}.events.{}",
        if plain { kind } else { "native" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_kinds_stay_in_their_topic() {
        assert_eq!(
            topic("ss_admin", "prompt-done"),
            "/topic/ss_admin.events.prompt-done"
        );
        for odd in ["a.b", "", "x,/queue/ss_admin", ">"] {
            assert_eq!(topic("ss_admin", odd), "/topic/ss_admin.events.native");
        }
    }
}

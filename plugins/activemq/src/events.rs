//! Events to topics.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use patchbay_dialect_json::event_text;
use patchbay_sdk::{Events, Gateway};

use crate::answering::expires_in;
use crate::stomp::text::ascii_json;
use crate::stomp::{ClientFrame, ErrorFrame, Outgoing};

/// An event that nobody has fetched for so long is of no interest.
const EXPIRY: Duration = Duration::from_secs(60);

/// The way to the answering connection, as long as there is one.
#[derive(Clone, Default)]
pub struct Outlet {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    outgoing: Option<Outgoing>,
    /// The broker has refused something without receipt on this connection, and that was told.
    refused: bool,
}

impl Outlet {
    /// A new connection, or none.
    pub fn set(&self, outgoing: Option<Outgoing>) {
        *self.lock() = State {
            outgoing,
            refused: false,
        };
    }

    /// The broker refused an event. Told once a connection: there is one such error for each event.
    pub fn refused(&self, error: &ErrorFrame) {
        if !std::mem::replace(&mut self.lock().refused, true) {
            tracing::warn!(
                message = error.message,
                detail = error.detail,
                "the broker refused an event; may we write to the topics?"
            );
        }
    }

    fn get(&self) -> Option<Outgoing> {
        self.lock().outgoing.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes events to `/topic/<queue>.events.<kind>` until there are none. They never wait: what cannot be sent at once
/// is dropped and counted, which readers see by the gap in `seq`.
pub async fn publish(mut events: Events, gateway: Gateway, queue: String, outlet: Outlet) {
    while let Some(event) = events.next().await {
        // A topic is for everybody.
        if event.session.is_some() {
            gateway.count("private_events_dropped", 1);
            continue;
        }
        let frame = ClientFrame::send(
            topic(&queue, event.kind.as_str()),
            ascii_json(&event_text(&event)).into_owned(),
        )
        .header("expires", expires_in(EXPIRY));
        let sent = outlet
            .get()
            .is_some_and(|outgoing| outgoing.offer(frame).is_ok());
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

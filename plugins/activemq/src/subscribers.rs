//! Events to the reply-to of each client that has subscribed.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use patchbay_dialect_json::{Since, Subscription, event_text};
use patchbay_sdk::{EventKind, Events, Fault, GatewayEvent, RawJson};
use serde_json::json;

use crate::client::ClientState;
use crate::config;
use crate::desk::Desk;
use crate::refusals;
use crate::stomp::text::ascii;

/// Hands out events until there are none. They never wait: what cannot be sent at once is dropped and counted, which a
/// client sees by the gap in `seq`.
pub async fn hand_out(mut events: Events, desk: Arc<Desk>) {
    while let Some(event) = events.next().await {
        desk.hand_out(&event);
    }
}

impl Desk {
    /// Sends the client what it wants to hear from now on. Nothing is kept of the past, so that `since` may bring a gap.
    ///
    /// # Errors
    /// `Unsupported` where events go elsewhere.
    pub fn subscribe(&self, client: &ClientState, what: Subscription) -> Result<RawJson, Fault> {
        if self.settings.events != config::Events::ReplyTo {
            return Err(refusals::no_subscriptions(&self.settings));
        }
        let latest = self.latest();
        let since = what.since;
        client.subscribe(what);
        if let Some(since) = since.filter(|since| since != &*latest) {
            let same = since.epoch == latest.epoch && since.seq < latest.seq;
            let from = if same { since.seq + 1 } else { 0 };
            let body = json!({"missed_from": from, "missed_to": latest.seq});
            self.outlet.offer(&client.reply_to, gap(*latest, &body)?);
        }
        RawJson::new(&*latest)
    }

    fn hand_out(&self, event: &GatewayEvent) {
        // Locked until all have it, so that who subscribes meanwhile gets either its number or the event.
        let mut latest = self.latest();
        if event.session.is_none() {
            *latest = Since {
                epoch: event.epoch,
                seq: event.seq,
            };
        }
        let wanting = self.clients.wanting(event);
        if wanting.is_empty() {
            if event.session.is_some() {
                self.gateway.count("private_events_dropped", 1);
            }
            return;
        }
        let text = wrapped(event);
        for client in wanting {
            if client.state.may_be_sent(text.len(), self.settings.unread) {
                let sent = self.outlet.offer(&client.state.reply_to, text.clone());
                self.gateway
                    .count(if sent { "events" } else { "events_dropped" }, 1);
            } else {
                self.cut(&client.state, *latest);
            }
        }
    }

    /// The client seems not to read: what it does not fetch would fill the broker.
    fn cut(&self, client: &ClientState, latest: Since) {
        self.gateway.count("subscriptions_cut", 1);
        client.unsubscribe();
        let client = &client.reply_to;
        tracing::warn!(
            client,
            "a client asks for nothing and seems not to read its events; it gets no more"
        );
        let ended = "you have asked for nothing while many events were sent; subscribe again, and `ping` now and then";
        let body = json!({"missed_from": latest.seq, "missed_to": latest.seq, "ended": ended});
        if let Ok(text) = gap(latest, &body) {
            self.outlet.offer(client, text);
        }
    }

    fn latest(&self) -> MutexGuard<'_, Since> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wrapped(event: &GatewayEvent) -> String {
    ascii(format!(r#"{{"event":{}}}"#, event_text(event)))
}

fn gap(at: Since, body: &serde_json::Value) -> Result<String, Fault> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(wrapped(&GatewayEvent {
        epoch: at.epoch,
        seq: at.seq,
        time: now.unwrap_or_default().as_secs_f64(),
        kind: EventKind::Gap,
        job: None,
        session: None,
        body: RawJson::new(body)?,
        blobs: Vec::new(),
    }))
}

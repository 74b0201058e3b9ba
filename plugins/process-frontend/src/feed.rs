//! The backend's events, handed to the program as it gives credit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_child::{Child, Kind, Message, head};
use patchbay_sdk::{Events, Fault, FaultKind, Gateway, GatewayEvent, Position, Since};
use tokio::sync::Semaphore;

/// Credit for more events at a time is not kept.
const MOST: usize = 1 << 16;

pub(crate) struct Feed {
    child: Child,
    gateway: Gateway,
    credit: Arc<Semaphore>,
    /// Whether the program has subscribed.
    begun: AtomicBool,
}

impl Feed {
    pub(crate) fn new(child: Child, gateway: Gateway) -> Self {
        Feed {
            child,
            gateway,
            credit: Arc::new(Semaphore::new(0)),
            begun: AtomicBool::new(false),
        }
    }

    /// Room for more events.
    pub(crate) fn credit(&self, events: u32) {
        let room = MOST.saturating_sub(self.credit.available_permits());
        self.credit.add_permits((events as usize).min(room));
    }

    /// Takes the stream, which there is once. It stays taken also if it does not begin: the gateway gives it only once.
    pub(crate) fn take(&self) -> Result<(), Fault> {
        if self.begun.swap(true, Ordering::Relaxed) {
            let text = "the program has subscribed already; there is one stream, and it hands out to its clients itself";
            return Err(Fault::new(FaultKind::Conflict, text));
        }
        Ok(())
    }

    /// Begins to hand out events, from now on or from that one on; then it is known where the backend is.
    pub(crate) async fn begin(&self, since: Option<Since>) -> Result<Option<Position>, Fault> {
        let (events, position) = match since {
            Some(since) => {
                let (events, position) = self.gateway.events_since(since).await?;
                (events, Some(position))
            }
            None => (self.gateway.events(), None),
        };
        tokio::spawn(hand_out(
            events,
            self.child.clone(),
            self.gateway.clone(),
            self.credit.clone(),
        ));
        Ok(position)
    }
}

async fn hand_out(mut events: Events, child: Child, gateway: Gateway, credit: Arc<Semaphore>) {
    // It is never closed.
    while let Ok(one) = credit.acquire().await {
        one.forget();
        let Some(event) = events.next().await else {
            return;
        };
        if let Err(fault) = child.say(message(event)).await {
            tracing::error!(%fault, "the program does not get an event");
            gateway.count("events_left_out", 1);
        }
    }
}

fn message(event: GatewayEvent) -> Message {
    let head = head::Event {
        epoch: event.epoch,
        seq: event.seq,
        time: event.time,
        kind: event.kind.as_str().to_owned(),
        job: event.job,
        session: event.session,
    };
    Message::new(Kind::EVENT, 0, &head)
        .body(event.body.get().to_owned())
        .blobs(event.blobs)
}

//! Telling the host.

use std::time::Duration;

use patchbay_sdk::{BackendContext, Event, EventKind, Health};
use serde::Serialize;
use tokio::time::Instant;

use crate::jobs::Notice;
use crate::model::StateBody;

/// How long line progress may be held back while there is always something newer.
const HOLD: Duration = Duration::from_millis(100);

/// Emits events in order, line progress thinned out.
pub(super) struct Teller {
    cx: BackendContext,
    /// The state to be told, unless a newer one that differs only in its line is at hand.
    held: Option<Held>,
}

struct Held {
    job: Option<String>,
    body: StateBody,
    since: Instant,
}

impl Teller {
    pub(super) fn new(cx: BackendContext) -> Self {
        Self { cx, held: None }
    }

    pub(super) fn health(&self, health: Health) {
        self.cx.health(health);
    }

    pub(super) fn tell(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            match notice {
                Notice::Job(id, body) => self.emit(EventKind::Job, Some(id), &body),
                Notice::State(job, body) => self.hold(job, body),
            }
        }
    }

    /// A script in a loop reports thousands of lines a second; the newest says it all.
    fn hold(&mut self, job: Option<String>, body: StateBody) {
        let only_progress = |held: &Held| {
            held.job == job
                && held.body.run == body.run
                && held.body.link == body.link
                && held.since.elapsed() < HOLD
        };
        match &mut self.held {
            Some(held) if only_progress(held) => held.body = body,
            _ => {
                self.release();
                self.held = Some(Held {
                    job,
                    body,
                    since: Instant::now(),
                });
            }
        }
    }

    pub(super) fn emit(&mut self, kind: EventKind, job: Option<String>, body: &impl Serialize) {
        self.release();
        if let Some(event) = make(kind, job, body) {
            self.cx.emit(event);
        }
    }

    /// Tells what is held back; to be called when nothing newer is at hand.
    pub(super) fn release(&mut self) {
        let state = self
            .held
            .take()
            .and_then(|held| make(EventKind::State, held.job, &held.body));
        if let Some(event) = state {
            self.cx.emit(event);
        }
    }
}

fn make(kind: EventKind, job: Option<String>, body: &impl Serialize) -> Option<Event> {
    let event = Event::new(kind, body)
        .map_err(|fault| tracing::error!(%fault, "an event could not be written"))
        .ok()?;
    Some(match job {
        Some(job) => event.job(job),
        None => event,
    })
}

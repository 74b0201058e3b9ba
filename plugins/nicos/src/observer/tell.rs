//! Telling the host.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::model::StateBody;
use patchbay_sdk::{BackendContext, Event, EventKind, Health};
use serde::Serialize;
use tokio::time::Instant;

use crate::health::Board;
use crate::jobs::Notice;

/// The shortest time between two tellings of line progress.
const PACE: Duration = Duration::from_millis(50);

/// Emits events in order; of mere line progress the newest, now and then.
pub(super) struct Teller {
    cx: BackendContext,
    board: Arc<Board>,
    /// The state as it was told, and when.
    told: Option<(State, Instant)>,
    /// A newer state that differs only in its line.
    held: Option<State>,
}

type State = (Option<String>, StateBody);

impl Teller {
    pub(super) fn new(cx: BackendContext, board: Arc<Board>) -> Self {
        Self {
            cx,
            board,
            told: None,
            held: None,
        }
    }

    pub(super) fn health(&self, health: Health) {
        self.board.observer(health);
    }

    pub(super) fn tell(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            match notice {
                Notice::Job(id, body) => {
                    self.release();
                    self.emit(EventKind::Job, Some(id), &body);
                }
                Notice::State(job, body) => self.state((job, body)),
            }
        }
    }

    pub(super) fn count(&self, counter: &str, add: u64) {
        self.cx.count(counter, add);
    }

    pub(super) fn event(&self, event: Event) {
        self.cx.emit(event);
    }

    pub(super) fn emit(&self, kind: EventKind, job: Option<String>, body: &impl Serialize) {
        if let Some(event) = make(kind, job, body) {
            self.cx.emit(event);
        }
    }

    /// When what is held back is to be told.
    pub(super) fn due(&self) -> Option<Instant> {
        self.held.as_ref()?;
        self.told.as_ref().map(|(_, at)| *at + PACE)
    }

    /// Tells what is held back if it is due.
    pub(super) fn release_due(&mut self) {
        if self.due().is_some_and(|due| due <= Instant::now()) {
            self.release();
        }
    }

    /// A script in a loop reports thousands of lines a second; the newest says it all.
    fn state(&mut self, state: State) {
        let is_progress = |(told, _): &(State, Instant)| {
            told.0 == state.0 && told.1.run == state.1.run && told.1.link == state.1.link
        };
        let progress = self.told.as_ref().is_some_and(is_progress);
        if !progress {
            self.release();
        }
        self.held = Some(state);
        match progress {
            true => self.release_due(),
            false => self.release(),
        }
    }

    fn release(&mut self) {
        if let Some(state) = self.held.take() {
            self.emit(EventKind::State, state.0.clone(), &state.1);
            self.told = Some((state, Instant::now()));
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

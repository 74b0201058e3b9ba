//! What the metrics say of the broker, looked up when somebody asks.

use super::{Broker, Phase, Seat};
use crate::audit::Audit;
use crate::metrics::{Metrics, Stock};
use std::collections::HashMap;

impl Broker {
    /// Notes how much there is of everything now.
    pub fn take_stock(&self, stock: &Stock) {
        let (pending, checks) = {
            let state = self.lock();
            (state.pending.by_backend(), state.pending.checks())
        };
        for (position, seat) in self.present() {
            let id = seat.id();
            let Some(journal) = seat.journal() else {
                continue;
            };
            let waiting = pending.get(&position).copied().unwrap_or(0);
            Stock::note(&stock.pending, &[("backend", id)], waiting);
            let extent = journal.extent();
            Stock::note(&stock.journal_events, &[("backend", id)], extent.events);
            Stock::note(&stock.journal_bytes, &[("backend", id)], extent.bytes);
        }
        let audit = self.audit.get().map_or(0, Audit::waiting);
        for (queue, waiting) in [
            ("notes", self.intents.waiting()),
            ("users", checks),
            ("audit", audit),
        ] {
            Stock::note(&stock.queues, &[("queue", queue)], waiting);
        }
        for instance in self.instances() {
            let (id, health) = (instance.id.as_str(), known(&instance.health));
            let up = instance.phase == Phase::Running.name() && health == "up";
            let labels = [
                ("instance", id),
                ("role", &instance.role),
                ("plugin", &instance.plugin),
            ];
            Stock::note(&stock.up, &labels, usize::from(up));
            let labels = [
                ("instance", id),
                ("phase", &instance.phase),
                ("health", health),
            ];
            Stock::note(&stock.state, &labels, 1);
            let hanging = instance.threads_abandoned;
            Stock::note(&stock.abandoned, &[("instance", id)], hanging);
            if let Some(bytes) = instance.memory_bytes {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                Stock::note(&stock.memory, &[("instance", id)], bytes);
            }
            if instance.to.is_some() {
                Stock::note(&stock.sessions, &[("frontend", id)], instance.sessions);
            }
        }
    }
}

impl Seat {
    /// Counts an event that it has told.
    pub(super) fn counts_event(&self, metrics: &Metrics, bytes: usize) {
        let (events, event_bytes) = self.events.get_or_init(|| metrics.events_of(self.id()));
        events.inc();
        event_bytes.inc_by(bytes as u64);
    }
}

/// What a plugin says of its health, if it is one of the words that there are.
fn known(health: &str) -> &str {
    match health {
        "up" | "degraded" | "down" | "starting" => health,
        _ => "down",
    }
}

/// Requests by the seat of their backend.
pub(super) type ByBackend = HashMap<usize, usize>;

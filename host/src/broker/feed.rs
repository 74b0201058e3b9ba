//! How a backend's events get to its journal, and to those who read it.

use super::journal::{Journal, Told};
use super::login::broken;
use super::{Broker, Place};
use patchbay_abi::{Delivery, Fault, Message, head};

impl Broker {
    /// A backend has told so many events that were not taken.
    pub(super) fn events_missed(&self, from: Place, events: u64) {
        if let Some(journal) = self.seats[from.seat].journal() {
            journal.skip(from.epoch, events);
        }
    }

    /// A backend tells something.
    pub(super) fn event(
        &self,
        from: Place,
        message: Message,
        may_log: impl Fn() -> bool,
    ) -> Delivery {
        let Some(journal) = self.seats[from.seat].journal() else {
            self.count("messages_ignored");
            return Delivery::Refused;
        };
        match self.read_event(&message) {
            Ok(head) => {
                self.note_run(from, &head.kind, &message.body);
                let session = head.session;
                self.show_event(from, &head, &message);
                self.seats[from.seat].counts_event(&self.metrics, message.weight());
                let event = Told {
                    epoch: from.epoch,
                    head,
                    body: message.body,
                    blobs: message.blobs.into_iter().collect(),
                };
                match session {
                    None => journal.append(event),
                    Some(session) => self.whisper(journal, from, session, event),
                }
                Delivery::Taken
            }
            Err(fault) => {
                self.count("events_refused");
                let (instance, fault) = (self.seats[from.seat].id(), fault.message.as_str());
                if may_log() {
                    tracing::warn!(instance, fault, "an event was refused");
                }
                Delivery::Refused
            }
        }
    }

    /// A private event goes to the frontend of its client, and to nobody else.
    fn whisper(&self, journal: &Journal, from: Place, session: u64, event: Told) {
        let frontend = {
            let mut state = self.lock();
            let client = state.sessions.get_mut(session);
            client
                .filter(|client| client.at() == Some(from))
                .map(|client| client.frontend)
        };
        if !frontend.is_some_and(|frontend| journal.whisper(frontend, event)) {
            self.count("private_events_dropped");
            tracing::debug!(session, "a private event found nobody to take it");
        }
    }

    fn read_event(&self, message: &Message) -> Result<head::Event, Fault> {
        self.check(message)?;
        message.read_head().map_err(broken)
    }

    /// A frontend wants the events of its backend, from now on.
    pub(super) fn subscribe(&self, frontend: Place) {
        let port = self.seats[frontend.seat].port_in(frontend.epoch);
        if let (Some(journal), Some(port)) = (self.journal_of(frontend), port) {
            let gaps = self.metrics.gaps_of(self.seats[frontend.seat].id());
            journal.subscribe(frontend, port, gaps);
        }
    }

    /// A frontend has room for more events.
    pub(super) fn credit(&self, frontend: Place, message: &Message) {
        if let (Some(journal), Ok(head)) = (
            self.journal_of(frontend),
            message.read_head::<head::Credit>(),
        ) {
            journal.credit(frontend, head.events);
        }
    }

    fn journal_of(&self, frontend: Place) -> Option<&Journal> {
        let backend = self.seats[frontend.seat].backend_now()?;
        self.seats[backend].journal()
    }
}

//! The way of an event through the host.

use super::Journal;
use super::reader::Telling;
use crate::broker::login::broken;
use crate::broker::pending::Origin;
use crate::broker::{Broker, Place};
use patchbay_abi::{Buffer, Delivery, Fault, Kind, Message, head};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a backend told, in one of its lives.
pub(super) struct Told {
    pub(super) epoch: u64,
    head: head::Event,
    body: Buffer,
    blobs: Vec<Buffer>,
}

impl Told {
    /// What the host itself has to tell.
    pub(super) fn by_host(epoch: u64, kind: &str, body: String) -> Self {
        let head = head::Event {
            epoch,
            seq: 0,
            time: 0.0,
            kind: kind.to_owned(),
            job: None,
            session: None,
        };
        Told {
            epoch,
            head,
            body: Buffer::from(body),
            blobs: Vec::new(),
        }
    }

    pub(super) fn into_message(self, seq: u64) -> Message {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let head = head::Event {
            epoch: self.epoch,
            seq,
            time: now.map_or(0.0, |since| since.as_secs_f64()),
            ..self.head
        };
        Message {
            body: self.body,
            ..Message::new(Kind::EVENT, 0, &head)
        }
        .blobs(self.blobs)
    }
}

impl Broker {
    /// A backend has told so many events that were not taken. They may have changed anything.
    pub(in crate::broker) fn events_missed(&self, from: Place, events: u64) {
        if let Some(journal) = self.seats[from.seat].journal() {
            self.changed(from.seat);
            self.telling(from.seat, |telling| {
                journal.skip(from.epoch, events, telling);
            });
        }
    }

    /// A backend tells something.
    pub(in crate::broker) fn event(
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
                    None => {
                        // First, so that whoever looks because of it sees what it tells.
                        self.heard(from, &event.head, &event.body);
                        self.telling(from.seat, |telling| journal.append(event, telling));
                    }
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

    /// A frontend wants the events of its backend, from now on or from after one that it has seen.
    pub(in crate::broker) fn subscribe(&self, frontend: Place, message: &Message) {
        let port = self.seats[frontend.seat].port_in(frontend.epoch);
        let (Some(journal), Some(port)) = (self.journal_of(frontend), port) else {
            return;
        };
        let since = match message.read_head::<head::Subscribe>() {
            Ok(head) => head.since,
            Err(_) if message.id == 0 => return self.count("messages_ignored"),
            Err(error) => {
                let (at, id) = (frontend, message.id);
                return self.refuse(Origin { at, id }, broken(error));
            }
        };
        let position = journal.subscribe(frontend, port.clone(), since);
        if message.id != 0 {
            let reply = Message::new(Kind::REPLY, message.id, &head::Reply::default());
            let body = serde_json::to_vec(&position).unwrap_or_default();
            port.deliver(reply.body(body));
        }
    }

    /// A frontend has room for more events.
    pub(in crate::broker) fn credit(&self, frontend: Place, message: &Message) {
        if let Ok(head) = message.read_head::<head::Credit>() {
            self.hand_out(frontend, head.events);
        }
    }

    /// A frontend has room for so many events more; what it had no room for before is tried again.
    pub(in crate::broker) fn hand_out(&self, frontend: Place, events: u32) {
        let backend = self.seats[frontend.seat].backend_now();
        if let (Some(journal), Some(backend)) = (self.journal_of(frontend), backend) {
            self.telling(backend, |telling| journal.credit(frontend, events, telling));
        }
    }

    /// Does something by which readers of a backend may learn of a gap, and counts those who do.
    pub(in crate::broker) fn telling(&self, backend: usize, act: impl FnOnce(&mut Telling<'_>)) {
        let mut telling = Telling {
            status: &|| self.status_now(backend),
            told: Vec::new(),
        };
        act(&mut telling);
        for frontend in telling.told {
            self.metrics.gaps_of(self.seats[frontend].id()).inc();
        }
    }

    fn journal_of(&self, frontend: Place) -> Option<&Journal> {
        let backend = self.seats[frontend.seat].backend_now()?;
        self.seats[backend].journal()
    }
}

//! Clients that are logged in.

use super::Place;
use patchbay_abi::{Kind, Message, Secret, head};
use patchbay_sdk::Role;
use patchbay_sdk::model::Op;
use std::collections::HashMap;

/// A client; it outlives the backend's lives, not the frontend's.
pub(crate) struct Session {
    /// Whose client it is.
    pub(super) frontend: Place,
    /// The backend's seat.
    pub(super) backend: usize,
    /// Who it is at the backend, and how that is proved.
    pub(super) user: String,
    pub(super) secret: Secret,
    /// Where it is, for logs.
    pub(super) client: String,
    /// What it may do; known when it is first logged in.
    pub(super) role: Role,
    pub(super) attachment: Attachment,
    pub(super) in_flight: InFlight,
}

/// Requests that have no answer yet.
#[derive(Default)]
pub(crate) struct InFlight {
    ordinary: usize,
    urgent: usize,
}

/// How a session stands with the present life of its backend.
pub(crate) enum Attachment {
    /// Unknown to it.
    Detached,
    /// Being logged in at the life of that epoch; these requests wait for it, in order.
    Attaching(u64, Vec<u64>),
    /// Logged in at the life of that epoch.
    Attached(u64),
}

/// All sessions, by number; numbers are never used again.
#[derive(Default)]
pub(crate) struct Sessions {
    last_id: u64,
    by_id: HashMap<u64, Session>,
}

impl Sessions {
    pub(super) fn open(&mut self, session: Session) -> u64 {
        self.last_id += 1;
        self.by_id.insert(self.last_id, session);
        self.last_id
    }

    pub(super) fn close(&mut self, id: u64) -> Option<Session> {
        self.by_id.remove(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Session> {
        self.by_id.get_mut(&id)
    }

    /// The session of that number, if it is a client of that frontend.
    pub(super) fn of(&mut self, frontend: Place, id: u64) -> Option<&mut Session> {
        self.by_id
            .get_mut(&id)
            .filter(|session| session.frontend == frontend)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn ids_of(&self, frontend: Place) -> Vec<u64> {
        let of_frontend = self
            .by_id
            .iter()
            .filter(|(_, session)| session.frontend == frontend);
        of_frontend.map(|(id, _)| *id).collect()
    }
}

impl Session {
    /// How many requests like this one have no answer yet.
    pub(super) fn in_flight_of(&mut self, op: &Op) -> &mut usize {
        match op.urgent {
            true => &mut self.in_flight.urgent,
            false => &mut self.in_flight.ordinary,
        }
    }

    /// The life of the backend that knows of this session.
    pub(super) fn epoch(&self) -> Option<u64> {
        match self.attachment {
            Attachment::Detached => None,
            Attachment::Attaching(epoch, _) | Attachment::Attached(epoch) => Some(epoch),
        }
    }

    /// What logs it in.
    pub(super) fn login_message(&self, request: u64, session: u64) -> Message {
        let head = head::Login {
            session,
            user: self.user.clone(),
            client: self.client.clone(),
        };
        Message::new(Kind::LOGIN, request, &head).secret(self.secret.clone())
    }
}

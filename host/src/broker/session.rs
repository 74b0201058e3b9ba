//! Clients that are logged in.

use super::Place;
use super::route::{Route, Sent};
use patchbay_abi::{Kind, Message, Secret, head};
use patchbay_sdk::Role;
use patchbay_sdk::model::Op;
use std::collections::HashMap;
use std::sync::Arc;

/// A client; it outlives the backend's lives, not the frontend's.
pub(crate) struct Session {
    /// Whose client it is.
    pub(super) frontend: Place,
    /// The seat of the backend that let it in; `None` if the host's own list of users did. Only that one ever gets its
    /// secret, also when the configuration names another one for its frontend meanwhile.
    pub(super) authority: Option<usize>,
    /// What a login rule took it by.
    pub(super) sent: Option<Sent>,
    /// Who it is there, and how that is proved to a backend; empty if the host has checked it.
    pub(super) user: String,
    pub(super) secret: Secret,
    /// Where it is, for logs.
    pub(super) client: String,
    pub(super) who: Arc<Who>,
    /// What it may do; known when it is first logged in.
    pub(super) role: Role,
    pub(super) attachment: Attachment,
    /// The backend that has let it in last, and has not refused it since.
    pub(super) let_in_by: Option<usize>,
    pub(super) in_flight: InFlight,
    /// Where it is not routed to any more, but is not done yet.
    former: Vec<Former>,
}

/// Who a client is, for the audit log, which may ask when the session is over.
pub(crate) struct Who {
    pub(super) user: String,
    pub(super) client: String,
}

/// A client that wants in.
pub(super) struct Applicant {
    pub(super) frontend: Place,
    /// As in [`Session`].
    pub(super) authority: Option<usize>,
    pub(super) user: String,
    pub(super) secret: Secret,
    pub(super) client: String,
    /// What it may do as far as that is known.
    pub(super) role: Role,
    pub(super) sent: Option<Sent>,
}

/// Requests that have no answer yet.
#[derive(Default)]
pub(crate) struct InFlight {
    ordinary: usize,
    urgent: usize,
    emergencies: usize,
}

impl InFlight {
    pub(super) fn sum(&self) -> usize {
        self.ordinary + self.urgent + self.emergencies
    }

    pub(super) fn emergencies(&self) -> usize {
        self.emergencies
    }
}

/// How a session stands with the present life of its backend.
pub(crate) enum Attachment {
    /// Unknown to it.
    Detached,
    /// Being logged in at that life; these requests wait for it, in order.
    Attaching(Place, Vec<u64>),
    /// Logged in at that life.
    Attached(Place),
}

/// Another life of a backend, or another backend, that knows a session: where it still has requests under way, or
/// where it is logged in before it is led there.
struct Former {
    at: Place,
    requests: usize,
}

/// All sessions, by number; numbers are never used again.
#[derive(Default)]
pub(crate) struct Sessions {
    last_id: u64,
    by_id: HashMap<u64, Session>,
}

impl Sessions {
    /// A session that is being logged in at that life of a backend.
    pub(super) fn open(&mut self, applicant: Applicant, at: Place) -> u64 {
        self.last_id += 1;
        let Applicant {
            frontend,
            authority,
            user,
            secret,
            client,
            role,
            sent,
        } = applicant;
        let who = Who {
            user: user.clone(),
            client: client.clone(),
        };
        let session = Session {
            who: Arc::new(who),
            frontend,
            authority,
            sent,
            user,
            secret,
            client,
            role,
            attachment: Attachment::Attaching(at, Vec::new()),
            let_in_by: None,
            in_flight: InFlight::default(),
            former: Vec::new(),
        };
        self.by_id.insert(self.last_id, session);
        self.last_id
    }

    pub(super) fn close(&mut self, id: u64) -> Option<Session> {
        self.by_id.remove(&id)
    }

    pub(super) fn get(&self, id: u64) -> Option<&Session> {
        self.by_id.get(&id)
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

    /// A life of a backend is over; nobody is known there any more.
    pub(super) fn forget(&mut self, gone: Place) {
        for session in self.by_id.values_mut() {
            session.former.retain(|former| former.at != gone);
        }
    }

    /// All clients of a frontend.
    pub(super) fn all_of(&mut self, frontend: usize) -> impl Iterator<Item = &mut Session> {
        let sessions = self.by_id.values_mut();
        sessions.filter(move |session| session.frontend.seat == frontend)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&u64, &Session)> {
        self.by_id.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&u64, &mut Session)> {
        self.by_id.iter_mut()
    }

    /// A session that is logged in at that life: this one, if it is.
    pub(super) fn attached(&self, at: Place, rather: u64) -> Option<u64> {
        let this = self
            .by_id
            .get(&rather)
            .filter(|known| known.is_attached(at));
        let any = || self.by_id.iter().find(|(_, known)| known.is_attached(at));
        this.map(|_| rather).or_else(|| any().map(|(id, _)| *id))
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// How many came through that frontend.
    pub(super) fn through(&self, frontend: usize) -> usize {
        let came = |session: &&Session| session.frontend.seat == frontend;
        self.by_id.values().filter(came).count()
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
            true if op.is_emergency() => &mut self.in_flight.emergencies,
            true => &mut self.in_flight.urgent,
            false => &mut self.in_flight.ordinary,
        }
    }

    /// Whether it is logged in there.
    pub(super) fn is_attached(&self, there: Place) -> bool {
        matches!(self.attachment, Attachment::Attached(at) if at == there)
    }

    /// Where it is logged in, or being logged in.
    pub(super) fn at(&self) -> Option<Place> {
        match self.attachment {
            Attachment::Detached => None,
            Attachment::Attaching(at, _) | Attachment::Attached(at) => Some(at),
        }
    }

    /// It is held to another route from now on: it may do no more than that allows. If another backend
    /// says who gets in, a client that a rule took in is who that backend's rule says; one that has
    /// proved to the former one who it is has the host's word for it, and its secret stays where it was.
    pub(super) fn follow(&mut self, route: &Route) {
        self.role = self.role.min(route.ceiling);
        let rule = self.sent.as_ref().and_then(|sent| route.rule_of(sent));
        let another = route.checking_backend();
        let another = another.filter(|backend| self.authority != Some(*backend));
        if let (Some(backend), Some(rule)) = (another, rule)
            && let Some(secret) = &rule.secret
        {
            self.user.clone_from(&rule.user);
            self.secret = secret.clone();
            self.authority = Some(backend);
        }
    }

    /// All lives of backends that know of this session.
    pub(super) fn known_at(&self) -> Vec<Place> {
        let former = self.former.iter().map(|former| former.at);
        self.at().into_iter().chain(former).collect()
    }

    /// Lets go of the backend that it is logged in at, because it is routed to another one. What is
    /// under way there is finished there. Where it can be logged out at once.
    pub(super) fn depart(&mut self) -> Option<Place> {
        let at = self.at()?;
        self.attachment = Attachment::Detached;
        let elsewhere: usize = self.former.iter().map(|former| former.requests).sum();
        match self.in_flight.sum().saturating_sub(elsewhere) {
            0 => Some(at),
            requests => {
                self.former.push(Former { at, requests });
                None
            }
        }
    }

    /// It is logged in at that life as well, where nothing of it is under way.
    pub(super) fn is_known_at(&mut self, at: Place) {
        if !self.known_at().contains(&at) {
            self.former.push(Former { at, requests: 0 });
        }
    }

    /// Takes up where it left off at that life, if it was never logged out there.
    pub(super) fn come_back(&mut self, at: Place) {
        if let Some(position) = self.former.iter().position(|former| former.at == at) {
            self.former.remove(position);
            self.attachment = Attachment::Attached(at);
        }
    }

    /// One of its requests at that life is over. Where it can be logged out by that.
    pub(super) fn finished(&mut self, at: Place) -> Option<Place> {
        let position = self.former.iter().position(|former| former.at == at)?;
        let former = self.former.get_mut(position)?;
        former.requests = former.requests.saturating_sub(1);
        (former.requests == 0).then(|| self.former.remove(position).at)
    }

    /// What logs it in at its authority (`vouched`: at another backend, which gets no secret but the
    /// host's word on who that is).
    pub(super) fn login_message(&self, request: u64, session: u64, vouched: bool) -> Message {
        let head = head::Login {
            session,
            user: self.user.clone(),
            client: self.client.clone(),
            vouched: vouched.then(|| self.role.as_str().to_owned()),
        };
        let message = Message::new(Kind::LOGIN, request, &head);
        match vouched {
            true => message,
            false => message.secret(self.secret.clone()),
        }
    }
}

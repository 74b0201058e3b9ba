//! What is shown to whoever looks on (`patchbay trace`), and nothing if nobody does.

use super::pending::{Origin, Request, reference_of};
use super::trip::{Asking, End, Times, Trip};
use super::{Broker, Place};
use crate::trace::{Filter, Moment, Watch, What};
use patchbay_abi::{Fault, Message, head};

impl Broker {
    /// Lets somebody look on.
    ///
    /// # Errors
    /// If there are too many already, or if there is no such instance: a sentence.
    pub fn watch(&self, filter: Filter) -> Result<Watch, String> {
        if let Some(frontend) = &filter.frontend {
            self.seat_of(frontend, "frontend", |seat| seat.route().is_some())?;
        }
        if let Some(backend) = &filter.backend {
            self.seat_of(backend, "backend", |seat| seat.journal().is_some())?;
        }
        self.tap.watch(filter)
    }

    /// A request goes to its backend, or waits for its session to be known there.
    pub(super) fn show_request(
        &self,
        origin: Origin,
        (request, session, op): (u64, u64, &str),
        backend: Place,
        asked: &Message,
    ) {
        let user = self.user_of(session);
        self.show(&Moment {
            request,
            session,
            user: &user,
            op,
            reference: reference_of(asked),
            bytes: asked.weight(),
            body: &asked.body,
            ..self.moment(What::Request, origin, backend)
        });
    }

    /// A request is about to be answered.
    pub(super) fn show_answer(&self, request: &Request, answer: &Result<Message, Fault>) {
        let Some(origin) = request.origin.filter(|_| self.tap.is_watched()) else {
            return;
        };
        let user = self.user_of(request.session);
        let said = answer.as_ref().err().map(said_of);
        let (bytes, body) = match (answer, &said) {
            (Ok(reply), _) => (reply.weight(), &*reply.body),
            (Err(_), said) => (0, said.as_deref().unwrap_or_default().as_bytes()),
        };
        let Times { host, at_backend } = request.trip.times();
        self.show(&Moment {
            request: request.trip.number,
            session: request.session,
            user: &user,
            op: request.trip.op,
            bytes,
            body,
            outcome: Some(End::of(answer).outcome.name()),
            host: Some(host),
            at_backend,
            ..self.moment(What::Answer, origin, request.backend)
        });
    }

    /// A request is answered by the host.
    pub(super) fn show_unasked(&self, asking: &Asking, reply: &Message) {
        if !self.tap.is_watched() {
            return;
        }
        let (trip, user) = (&asking.trip, self.user_of(asking.session));
        self.show(&Moment {
            request: trip.number,
            session: asking.session,
            user: &user,
            op: trip.op,
            bytes: reply.weight(),
            body: &reply.body,
            outcome: Some(crate::metrics::Outcome::OK.name()),
            host: Some(trip.times().host),
            ..self.moment(What::Answer, asking.origin, asking.backend())
        });
    }

    /// A request is not carried out.
    pub(super) fn show_refusal(&self, trip: &Trip, origin: Origin, backend: Place, fault: &Fault) {
        if !self.tap.is_watched() {
            return;
        }
        self.show(&Moment {
            op: trip.op,
            body: said_of(fault).as_bytes(),
            outcome: Some(crate::metrics::Outcome::of(&fault.kind).name()),
            host: Some(trip.times().host),
            ..self.moment(What::Answer, origin, backend)
        });
    }

    /// A backend tells something.
    pub(super) fn show_event(&self, from: Place, head: &head::Event, message: &Message) {
        if !self.tap.is_watched() {
            return;
        }
        let session = head.session.unwrap_or(0);
        let user = self.user_of(session);
        let frontend = self.frontend_of(session);
        let frontend = frontend.map_or("", |seat| self.seats[seat].id());
        self.show(&Moment {
            session,
            user: &user,
            op: &head.kind,
            bytes: message.weight(),
            body: &message.body,
            ..Moment::new(What::Event, frontend, self.seats[from.seat].id())
        });
    }

    fn moment(&self, what: What, origin: Origin, backend: Place) -> Moment<'_> {
        let (frontend, backend) = (&self.seats[origin.at.seat], &self.seats[backend.seat]);
        Moment::new(what, frontend.id(), backend.id())
    }

    fn show(&self, moment: &Moment<'_>) {
        match self.tap.show(moment) {
            0 => {}
            lost => self.metrics.add("host", "trace_lines_dropped", lost),
        }
    }

    fn user_of(&self, session: u64) -> String {
        let mut state = self.lock();
        let session = state.sessions.get_mut(session);
        session.map_or(String::new(), |session| session.user.clone())
    }

    fn frontend_of(&self, session: u64) -> Option<usize> {
        let mut state = self.lock();
        Some(state.sessions.get_mut(session)?.frontend.seat)
    }
}

/// A fault's sentence as JSON, as a body would be.
fn said_of(fault: &Fault) -> String {
    serde_json::Value::from(fault.message.as_str()).to_string()
}

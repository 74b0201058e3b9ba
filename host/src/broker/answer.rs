//! How an answer gets back, and what is answered where none comes.

use super::pending::{Request, What};
use super::{Broker, Place, State};
use patchbay_abi::{Fault, FaultKind, Message, Side, head};

impl State {
    /// Takes a request out of the table, and off its session's account.
    pub(super) fn take(&mut self, id: u64) -> Option<Request> {
        let request = self.pending.take(id)?;
        if let Some(variant) = request.what.variant() {
            let shelf = self.shelves.entry(request.backend.seat).or_default();
            shelf.leaves(variant, id);
        }
        if let (Some(op), Some(session)) =
            (request.what.op(), self.sessions.get_mut(request.session))
        {
            let in_flight = session.in_flight_of(op);
            *in_flight = in_flight.saturating_sub(1);
            let left = session.finished(request.backend);
            self.farewells.extend(left.map(|at| (at, request.session)));
        }
        Some(request)
    }
}

impl Broker {
    /// Takes a request out of the table. If it was the last one of its session at a backend that the
    /// session is not routed to any more, the session is logged out there.
    pub(super) fn take(&self, id: u64) -> Option<Request> {
        let (request, farewells) = {
            let mut state = self.lock();
            (state.take(id)?, std::mem::take(&mut state.farewells))
        };
        self.say_farewells(farewells);
        Some(request)
    }

    pub(super) fn say_farewells(&self, farewells: Vec<(Place, u64)>) {
        for (at, session) in farewells {
            self.say_logout(at, session);
        }
    }

    /// A backend answers a request.
    pub(super) fn answered(&self, from: Place, reply: Message) {
        let expected = self
            .lock()
            .pending
            .get(reply.id)
            .is_some_and(|request| request.backend == from);
        match expected {
            true => _ = self.settle(reply.id, self.check_reply(reply)),
            false => self.unexpected(from, &reply),
        }
    }

    /// Answers a request: whoever comes first does, later answers find nothing. Whether this was
    /// the first.
    pub(super) fn settle(&self, id: u64, answer: Result<Message, Fault>) -> bool {
        let taken = self.take(id);
        let first = taken.is_some();
        if let Some(mut request) = taken {
            request.trip.replied();
            self.settle_taken(id, request, answer);
        }
        first
    }

    /// Answers a request that was taken out of the table. What is said of it must be what holds of it
    /// as it was taken: a moment before it may still have waited, a moment later it may be sent.
    pub(super) fn settle_taken(&self, id: u64, request: Request, answer: Result<Message, Fault>) {
        self.record_answer(id, &request, &answer);
        if let What::Call { op, .. } = request.what
            && op.changes
        {
            self.changed(request.backend.seat);
        }
        match (&request.what, request.origin) {
            (What::Login, _) => self.login_answered(request, answer),
            (
                What::Call {
                    look: Some(look), ..
                }
                | What::Refresh(look),
                _,
            ) => self.landed(&request, look, answer),
            (What::Look { .. }, _) => self.answer_look(&request, answer),
            (
                What::Call {
                    once: Some(once), ..
                },
                Some(_),
            ) => self.note_answer(*once, &request, answer),
            _ => self.answer(&request, answer),
        }
    }

    /// A fault is an error; the rest must be JSON within the limit.
    fn check_reply(&self, reply: Message) -> Result<Message, Fault> {
        let nonsense = |why: String| {
            Fault::new(
                FaultKind::Protocol,
                format!("the backend plugin answered nonsense: {why}"),
            )
            .side(Side::Gateway)
        };
        self.check(&reply).map_err(|fault| match fault.kind {
            FaultKind::TooLarge => fault.side(Side::Backend),
            _ => nonsense(fault.message),
        })?;
        let head: head::Reply = reply
            .read_head()
            .map_err(|error| nonsense(error.to_string()))?;
        if let Some(fault) = head.fault {
            return Err(fault);
        }
        Ok(reply)
    }

    /// A second answer, or one after the deadline. A login that nobody waits for any more has made
    /// a session at the backend, which must not stay.
    fn unexpected(&self, from: Place, reply: &Message) {
        self.count("replies_late_or_double");
        let granted = reply
            .read_head::<head::Reply>()
            .ok()
            .and_then(|head| head.session);
        if let Some(granted) = granted {
            let known = self.lock().sessions.get_mut(granted.session).is_some();
            if !known {
                self.say_logout(from, granted.session);
            }
        }
    }

    /// An instance is gone: what it owed is answered with what can be known of it.
    pub(super) fn settle_debts_of(&self, gone: Place) {
        let owed = self.lock().pending.owed_by(gone);
        for id in owed {
            if let Some(request) = self.take(id) {
                let fault = self.lost(&request);
                self.settle_taken(id, request, Err(fault));
            }
        }
    }

    fn lost(&self, request: &Request) -> Fault {
        let backend = self.seats[request.backend.seat].id();
        match &request.what {
            What::Call {
                op, parked: None, ..
            } if op.changes => {
                let text = format!(
                    "the backend `{backend}` failed meanwhile: `{}` may or may not have been done; \
                     look before you ask again",
                    op.name
                );
                Fault::new(FaultKind::UnknownOutcome, text)
            }
            _ => Fault::new(
                FaultKind::Unavailable,
                format!("the backend `{backend}` failed meanwhile; try again in a moment"),
            ),
        }
    }
}

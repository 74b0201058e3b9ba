//! How a request gets to its backend.

use super::login::broken;
use super::pending::{Once, Origin, Request, What, call_message, short_reference};
use super::record::{Asked, Asker};
use super::session::{Attachment, Session};
use super::snapshot::{Aim, Subject};
use super::trip::{End, Trip};
use super::{Broker, Place, State};
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use patchbay_sdk::Role;
use patchbay_sdk::model::{OPS, Op, find_op, nearest};
use std::sync::MutexGuard;
use std::time::Instant;

/// What is to be sent when the state is unlocked again.
type ToSend = (u64, Place, Message);

impl Broker {
    /// A client asks for something.
    pub(super) fn call(&self, origin: Origin, message: Message) {
        let (mut trip, mut asked) = (Trip::begin(&message), Asked::default());
        if let Err(fault) = self.read_call(origin, message, &mut trip, &mut asked) {
            self.count("requests_refused");
            self.turned_away(origin, trip, &fault);
            self.record_refused(origin, &asked, &fault);
            self.refuse(origin, fault);
        }
    }

    fn read_call(
        &self,
        origin: Origin,
        message: Message,
        trip: &mut Trip,
        asked: &mut Asked,
    ) -> Result<(), Fault> {
        self.check(&message)?;
        let head: head::Call = message.read_head().map_err(broken)?;
        asked.session = head.session;
        let op = find_op(&head.op).ok_or_else(|| unknown(&head.op))?;
        trip.asks(op);
        asked.op = Some(op);
        let call = Call {
            trip: *trip,
            origin,
            session: head.session,
            asker: head.asker.unwrap_or(head.session),
            op,
            message,
            once: None,
            reference: head.reference.and_then(short_reference),
            look: None,
        };
        match Subject::of(op) {
            Some(subject) => self.look(subject, call),
            None if op.once => self.look_up(head.key.as_deref(), call),
            None if op.is_control() => self.control(&call),
            None => self.enter_call(call),
        }
    }

    /// Enters a request and sends it on its way.
    pub(super) fn enter_call(&self, call: Call) -> Result<(), Fault> {
        self.enter_into(self.lock(), call)
    }

    /// The same, where the state is locked already.
    pub(super) fn enter_into(
        &self,
        mut state: MutexGuard<'_, State>,
        call: Call,
    ) -> Result<(), Fault> {
        let (origin, session, op) = (call.origin, call.session, call.op.name);
        let reference = call.reference.clone();
        let seen = self.tap.is_watched().then(|| call.message.clone());
        let at = self.admit(&mut state, &call)?;
        if call.op.is_emergency() {
            self.make_way(&mut state, call.session);
        }
        let (id, to_send) = self
            .send_or_park(&mut state, at, call)
            .ok_or_else(no_session)?;
        let farewells = std::mem::take(&mut state.farewells);
        let displaced = std::mem::take(&mut state.displaced);
        drop(state);
        self.say_farewells(farewells);
        for (id, request) in displaced {
            self.settle_taken(id, request, Err(gave_way()));
        }
        let (frontend, backend) = (self.seats[origin.at.seat].id(), self.seats[at.seat].id());
        tracing::debug!(
            request = id,
            session,
            op,
            frontend,
            backend,
            reference,
            "asked"
        );
        if let Some(asked) = seen {
            self.show_request(origin, (id, session, op), at, &asked);
        }
        if let Some((id, at, message)) = to_send {
            self.hand_over(id, at, message);
        }
        Ok(())
    }

    /// Whether a request may be entered now; which life of the backend it goes to.
    pub(super) fn admit(&self, state: &mut State, call: &Call) -> Result<Place, Fault> {
        let (seat, epoch) = self.may_ask(state, call)?;
        let epoch = epoch.ok_or_else(|| self.unavailable(seat))?;
        Ok(Place { seat, epoch })
    }

    /// Whether a client may ask this, and there is room; which backend it goes to, and in which life,
    /// if there is one.
    pub(super) fn may_ask(
        &self,
        state: &mut State,
        call: &Call,
    ) -> Result<(usize, Option<u64>), Fault> {
        if !call.op.urgent {
            self.check_room_in_all(state, call.origin.at.seat)?;
        }
        let session = state
            .sessions
            .of(call.origin.at, call.session)
            .ok_or_else(no_session)?;
        check_role(session.role, call.op)?;
        if !call.op.is_emergency() {
            self.check_room(session, call.op)?;
        }
        let routed = self.seats[call.origin.at.seat].backend_now();
        // A login that is under way ends where it began, and with it what waits for it.
        let waits_at = match session.attachment {
            Attachment::Attaching(at, ref waiting) if !waiting.is_empty() => Some(at),
            _ => None,
        };
        let waits_at = waits_at.filter(|at| self.seats[at.seat].port_in(at.epoch).is_some());
        let seat = waits_at.map_or(routed.unwrap_or(call.origin.at.seat), |at| at.seat);
        self.check_control(seat, call.session, call.op)?;
        if let Some(at) = waits_at {
            return Ok((at.seat, Some(at.epoch)));
        }
        let epoch = self.seats[seat].port().map(|(epoch, _)| epoch);
        Ok((seat, epoch))
    }

    /// No limit keeps an emergency stop from its backend. So that one client's do not fill the memory all the
    /// same, the oldest of too many gives way: it was sent, only its answer is not waited for any more.
    fn make_way(&self, state: &mut State, session: u64) {
        let limit = self.limits().in_flight_per_session;
        let full = |known: &Session| known.in_flight.emergencies() >= limit;
        if !state.sessions.get(session).is_some_and(full) {
            return;
        }
        let Some(oldest) = state.pending.oldest_emergency_of(session) else {
            return;
        };
        if let Some(request) = state.take(oldest) {
            self.count("emergencies_gave_way");
            state.displaced.push((oldest, request));
        }
    }

    /// Straight to the backend if the session is known there; otherwise it waits until the session
    /// has been logged in again. The number of the request, and what is to be sent now.
    fn send_or_park(
        &self,
        state: &mut State,
        at: Place,
        call: Call,
    ) -> Option<(u64, Option<ToSend>)> {
        let deadline = if call.op.long {
            self.limits().long
        } else {
            self.limits().request
        };
        let session = call.session;
        let known = state.sessions.get_mut(session)?;
        if known.at().is_some_and(|before| before != at) {
            let left = known.depart();
            known.come_back(at);
            state.farewells.extend(left.map(|before| (before, session)));
        }
        let known = state.sessions.get_mut(session)?;
        *known.in_flight_of(call.op) += 1;
        let asker = Asker::of(known);
        let shelf = state.shelves.entry(at.seat).or_default();
        let asks = |aim: &Aim| shelf.departs(aim.variant.clone(), aim.only_new);
        let id = state.pending.enter(Request {
            origin: Some(call.origin),
            backend: at,
            session,
            what: What::Call {
                op: call.op,
                parked: None,
                once: call.once,
                asker,
                look: call.look.as_ref().map(asks),
            },
            deadline: Instant::now() + deadline,
            trip: call.trip,
        });
        if let Some(aim) = call.look.as_ref().filter(|aim| !aim.only_new) {
            shelf.waits(&aim.variant, id, aim.until, true);
            self.sweep_by(state, aim.until);
        }
        let Call {
            op,
            message,
            reference,
            ..
        } = call;
        let known = state.sessions.get_mut(session)?;
        match &mut known.attachment {
            Attachment::Attached(now) if *now == at => {
                state.pending.sent(id);
                let call = call_message(id, session, op, deadline, message, reference);
                Some((id, Some((id, at, call))))
            }
            Attachment::Attaching(now, waiting) if *now == at => {
                waiting.push(id);
                state.pending.park(id, message);
                Some((id, None))
            }
            stale => {
                *stale = Attachment::Attaching(at, vec![id]);
                state.pending.park(id, message);
                let (login, ask) = self.ask_for_login(state, None, at, session)?;
                Some((id, Some((login, at, ask))))
            }
        }
    }

    /// Urgent requests have room of their own, in which nothing else can stand.
    fn check_room(&self, session: &mut Session, op: &Op) -> Result<(), Fault> {
        let limit = self.limits().in_flight_per_session;
        if *session.in_flight_of(op) < limit {
            return Ok(());
        }
        let (what, then) = ("requests of one client at a time", "wait for answers");
        Err(self.limit_hit("max_in_flight_per_session", limit, what, then))
    }

    /// Nobody waits for a request any more. The backend drops it if it has not sent it yet.
    pub(super) fn cancel(&self, origin: Origin) {
        let (taken, farewells) = {
            let mut state = self.lock();
            if let Some(asking) = state.lets_go(origin) {
                drop(state);
                return self.gave_up(&asking);
            }
            let taken = state
                .pending
                .id_of(origin)
                .and_then(|id| Some((id, state.take(id)?)));
            // Together with its login, so that an answer meanwhile finds neither or both.
            if let Some((
                _,
                Request {
                    what: What::Login,
                    session,
                    ..
                },
            )) = &taken
            {
                state.sessions.close(*session);
            }
            (taken, std::mem::take(&mut state.farewells))
        };
        self.say_farewells(farewells);
        if let Some((id, request)) = taken {
            self.record_answer(id, &request, &Err(unwanted()));
            if let What::Call {
                once: Some(once), ..
            } = &request.what
            {
                self.abandon(*once);
            }
            self.tell_cancelled(request.backend, id);
            let given_up = Err(Fault::new(FaultKind::Cancelled, "nobody waits any more"));
            self.show_answer(&request, &given_up);
            self.ended(&request, End::CANCELLED);
        }
    }

    pub(super) fn tell_cancelled(&self, at: Place, id: u64) {
        if let Some(port) = self.seats[at.seat].port_in(at.epoch) {
            port.deliver(Message::bare(Kind::CANCEL, id));
        }
    }
}

/// What a client asks for.
pub(super) struct Call {
    pub(super) origin: Origin,
    pub(super) session: u64,
    /// In which session the backend is asked what became of it, if it may have been before.
    pub(super) asker: u64,
    pub(super) op: &'static Op,
    pub(super) message: Message,
    pub(super) once: Option<Once>,
    /// What its client calls it.
    pub(super) reference: Option<String>,
    pub(super) trip: Trip,
    /// Its answer is to be kept.
    pub(super) look: Option<Aim>,
}

pub(super) fn check_role(role: Role, op: &Op) -> Result<(), Fault> {
    if role >= op.least {
        return Ok(());
    }
    let text = format!(
        "`{}` needs the role {}, you have {}",
        op.name, op.least, role
    );
    Err(Fault::new(FaultKind::Forbidden, text))
}

fn unwanted() -> Fault {
    Fault::new(FaultKind::Cancelled, "nobody waits for it any more")
}

fn gave_way() -> Fault {
    let text = "a newer emergency stop of yours took the place of this one, which was sent and has no answer yet";
    Fault::new(FaultKind::UnknownOutcome, text)
}

fn unknown(name: &str) -> Fault {
    let hint = nearest(name, OPS.iter().map(|op| op.name))
        .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    let name: String = name.chars().take(64).collect();
    Fault::new(
        FaultKind::Unsupported,
        format!("there is no operation `{name}`{hint}"),
    )
    .side(patchbay_abi::Side::Client)
}

pub(super) fn no_session() -> Fault {
    Fault::new(
        FaultKind::Unauthorized,
        "you are not logged in any more; log in again",
    )
}

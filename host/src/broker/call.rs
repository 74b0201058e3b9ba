//! How a request gets to its backend.

use super::login::broken;
use super::pending::{Once, Origin, Request, What, call_message};
use super::session::{Attachment, Session};
use super::{Broker, Place, State, check};
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use patchbay_sdk::Role;
use patchbay_sdk::model::{OPS, Op, find_op, nearest};
use std::time::Instant;

/// What is to be sent when the state is unlocked again.
type ToSend = (u64, Place, Message);

impl Broker {
    /// A client asks for something.
    pub(super) fn call(&self, origin: Origin, message: Message) {
        if let Err(fault) = self.read_call(origin, message) {
            self.count("requests_refused");
            self.refuse(origin, fault);
        }
    }

    fn read_call(&self, origin: Origin, message: Message) -> Result<(), Fault> {
        check(&message, self.limits().body_bytes)?;
        let head: head::Call = message.read_head().map_err(broken)?;
        let op = find_op(&head.op).ok_or_else(|| unknown(&head.op))?;
        let call = Call {
            origin,
            session: head.session,
            asker: head.asker.unwrap_or(head.session),
            op,
            message,
            once: None,
        };
        match op.once {
            true => self.look_up(head.key.as_deref(), call),
            false => self.enter_call(call),
        }
    }

    /// Enters a request and sends it on its way.
    pub(super) fn enter_call(&self, call: Call) -> Result<(), Fault> {
        let (to_send, farewells) = {
            let mut state = self.lock();
            let at = self.admit(&mut state, &call)?;
            let to_send = self.send_or_park(&mut state, at, call);
            (to_send, std::mem::take(&mut state.farewells))
        };
        self.say_farewells(farewells);
        if let Some((id, at, message)) = to_send {
            self.hand_over(id, at, message);
        }
        Ok(())
    }

    /// Whether a request may be entered now; which life of the backend it goes to.
    pub(super) fn admit(&self, state: &mut State, call: &Call) -> Result<Place, Fault> {
        if !call.op.urgent {
            self.check_room_in_all(state, call.origin.at.seat)?;
        }
        let session = state
            .sessions
            .of(call.origin.at, call.session)
            .ok_or_else(no_session)?;
        check_role(session.role, call.op)?;
        self.check_room(session, call.op)?;
        let routed = self.seats[call.origin.at.seat].backend_now();
        // A login that is under way ends where it began, and with it what waits for it.
        if let Attachment::Attaching(at, ref waiting) = session.attachment
            && !waiting.is_empty()
            && self.seats[at.seat].port_in(at.epoch).is_some()
        {
            return Ok(at);
        }
        let seat = routed.unwrap_or(call.origin.at.seat);
        let (epoch, _) = self.seats[seat]
            .port()
            .ok_or_else(|| self.unavailable(seat))?;
        Ok(Place { seat, epoch })
    }

    /// Straight to the backend if the session is known there; otherwise it waits until the session
    /// has been logged in again.
    fn send_or_park(&self, state: &mut State, at: Place, call: Call) -> Option<ToSend> {
        let deadline = match call.op.long {
            true => self.limits().long,
            false => self.limits().request,
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
        let id = state.pending.enter(Request {
            origin: Some(call.origin),
            backend: at,
            session,
            what: What::Call {
                op: call.op,
                parked: None,
                once: call.once,
            },
            deadline: Instant::now() + deadline,
        });
        let Call { op, message, .. } = call;
        let known = state.sessions.get_mut(session)?;
        match &mut known.attachment {
            Attachment::Attached(now) if *now == at => {
                Some((id, at, call_message(id, session, op, deadline, message)))
            }
            Attachment::Attaching(now, waiting) if *now == at => {
                waiting.push(id);
                state.pending.park(id, message);
                None
            }
            stale => {
                *stale = Attachment::Attaching(at, vec![id]);
                state.pending.park(id, message);
                let (login, ask) = self.ask_for_login(state, None, at, session)?;
                Some((login, at, ask))
            }
        }
    }

    /// Urgent requests have room of their own, in which nothing else can stand.
    fn check_room(&self, session: &mut Session, op: &Op) -> Result<(), Fault> {
        let limit = self.limits().in_flight_per_session;
        if *session.in_flight_of(op) < limit {
            return Ok(());
        }
        let text = format!(
            "{limit} requests of one client at a time (max_in_flight_per_session) is the limit of this gateway; wait \
             for answers"
        );
        Err(Fault::new(FaultKind::Busy, text))
    }

    /// Nobody waits for a request any more. The backend drops it if it has not sent it yet.
    pub(super) fn cancel(&self, origin: Origin) {
        let (taken, farewells) = {
            let mut state = self.lock();
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
            if let What::Call {
                once: Some(once), ..
            } = request.what
            {
                self.abandon(once);
            }
            self.tell_cancelled(request.backend, id);
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

fn no_session() -> Fault {
    Fault::new(
        FaultKind::Unauthorized,
        "you are not logged in any more; log in again",
    )
}

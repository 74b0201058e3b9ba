//! How a request gets to its backend.

use super::login::broken;
use super::pending::{Origin, Request, What, call_message};
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
        match self.enter_call(origin, message) {
            Ok(Some((id, at, message))) => self.hand_over(id, at, message),
            Ok(None) => {}
            Err(fault) => {
                self.count("requests_refused");
                self.refuse(origin, fault);
            }
        }
    }

    fn enter_call(&self, origin: Origin, message: Message) -> Result<Option<ToSend>, Fault> {
        check(&message, self.limits.body_bytes)?;
        let head: head::Call = message.read_head().map_err(broken)?;
        let op = find_op(&head.op).ok_or_else(|| unknown(&head.op))?;
        let mut guard = self.lock();
        let state = &mut *guard;
        let in_flight = state.pending.len();
        let session = state
            .sessions
            .of(origin.at, head.session)
            .ok_or_else(no_session)?;
        check_role(session.role, op)?;
        self.check_room(session, op, in_flight)?;
        let seat = session.backend;
        let (epoch, _) = self.seats[seat]
            .port()
            .ok_or_else(|| self.unavailable(seat))?;
        *session.in_flight_of(op) += 1;
        let at = Place { seat, epoch };
        Ok(self.send_or_park(
            state,
            Call {
                origin,
                at,
                session: head.session,
                op,
                message,
            },
        ))
    }

    /// Straight to the backend if the session is known there; otherwise it waits until the session
    /// has been logged in again.
    fn send_or_park(&self, state: &mut State, call: Call) -> Option<ToSend> {
        let deadline = if call.op.long {
            self.limits.long
        } else {
            self.limits.request
        };
        let (at, session) = (call.at, call.session);
        let id = state.pending.enter(Request {
            origin: Some(call.origin),
            backend: at,
            session,
            what: What::Call {
                op: call.op,
                parked: None,
            },
            deadline: Instant::now() + deadline,
        });
        let Call { op, message, .. } = call;
        let known = state.sessions.get_mut(session)?;
        match &mut known.attachment {
            Attachment::Attached(epoch) if *epoch == at.epoch => {
                Some((id, at, call_message(id, session, op, deadline, message)))
            }
            Attachment::Attaching(epoch, waiting) if *epoch == at.epoch => {
                waiting.push(id);
                state.pending.park(id, message);
                None
            }
            stale => {
                *stale = Attachment::Attaching(at.epoch, vec![id]);
                state.pending.park(id, message);
                let (login, ask) = self.ask_for_login(state, None, at, session)?;
                Some((login, at, ask))
            }
        }
    }

    /// Urgent requests have room of their own, in which nothing else can stand.
    fn check_room(&self, session: &mut Session, op: &Op, in_flight: usize) -> Result<(), Fault> {
        let full = |what: &str, limit: usize| {
            let text = format!("{limit} {what} is the limit of this gateway; wait for answers");
            Err(Fault::new(FaultKind::Busy, text))
        };
        let limits = &self.limits;
        if !op.urgent && in_flight >= limits.in_flight {
            return full("requests at a time (max_in_flight)", limits.in_flight);
        }
        if *session.in_flight_of(op) >= limits.in_flight_per_session {
            return full(
                "requests of one client at a time (max_in_flight_per_session)",
                limits.in_flight_per_session,
            );
        }
        Ok(())
    }

    /// Nobody waits for a request any more. The backend drops it if it has not sent it yet.
    pub(super) fn cancel(&self, origin: Origin) {
        let taken = {
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
            taken
        };
        if let Some((id, request)) = taken {
            self.tell_cancelled(request.backend, id);
        }
    }

    pub(super) fn tell_cancelled(&self, at: Place, id: u64) {
        if let Some(port) = self.seats[at.seat].port_in(at.epoch) {
            port.deliver(Message::bare(Kind::CANCEL, id));
        }
    }
}

/// A request that has passed all checks.
struct Call {
    origin: Origin,
    at: Place,
    session: u64,
    op: &'static Op,
    message: Message,
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

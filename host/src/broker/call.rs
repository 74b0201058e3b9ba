//! How a request gets to its backend.

use super::login::broken;
use super::pending::{Origin, Request, What};
use super::session::{Attachment, Session};
use super::{Broker, Place, State, check_body};
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use patchbay_sdk::model::{OPS, Op, find_op, nearest};
use std::time::{Duration, Instant};

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
        let head: head::Call = message.read_head().map_err(broken)?;
        let op = find_op(&head.op).ok_or_else(|| unknown(&head.op))?;
        check_body(&message.body, self.limits.body_bytes)?;
        let mut guard = self.lock();
        let state = &mut *guard;
        let in_flight = state.pending.len();
        let session = state
            .sessions
            .of(origin.at, head.session)
            .ok_or_else(no_session)?;
        check_role(session, op)?;
        self.check_room(session, op, in_flight)?;
        let seat = session.backend;
        let (epoch, _) = self.seats[seat]
            .port()
            .ok_or_else(|| self.unavailable(seat))?;
        session.in_flight += 1;
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
        let message = call.into_message(id, deadline);
        let known = state.sessions.get_mut(session)?;
        match &mut known.attachment {
            Attachment::Attached(epoch) if *epoch == at.epoch => Some((id, at, message)),
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

    /// Urgent requests pass every limit on how much may go on.
    fn check_room(&self, session: &Session, op: &Op, in_flight: usize) -> Result<(), Fault> {
        let full = |what: &str, limit: usize| {
            let text = format!("{limit} {what} is the limit of this gateway; wait for answers");
            Err(Fault::new(FaultKind::Busy, text))
        };
        let limits = &self.limits;
        match op.urgent {
            true => Ok(()),
            false if in_flight >= limits.in_flight => {
                full("requests at a time (max_in_flight)", limits.in_flight)
            }
            false if session.in_flight >= limits.in_flight_per_session => full(
                "requests of one client at a time (max_in_flight_per_session)",
                limits.in_flight_per_session,
            ),
            false => Ok(()),
        }
    }

    /// Nobody waits for a request any more. The backend drops it if it has not sent it yet.
    pub(super) fn cancel(&self, origin: Origin) {
        let taken = {
            let mut state = self.lock();
            state
                .pending
                .id_of(origin)
                .and_then(|id| Some((id, state.take(id)?)))
        };
        let Some((id, request)) = taken else { return };
        self.tell_cancelled(request.backend, id);
        if matches!(request.what, What::Login) {
            self.lock().sessions.close(request.session);
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

impl Call {
    fn into_message(self, id: u64, deadline: Duration) -> Message {
        let head = head::Call {
            session: self.session,
            op: self.op.name.to_owned(),
            deadline_ms: deadline.as_millis() as u64,
            urgent: self.op.urgent,
        };
        let Message { body, blobs, .. } = self.message;
        Message {
            body,
            blobs,
            ..Message::new(Kind::CALL, id, &head)
        }
    }
}

fn check_role(session: &Session, op: &Op) -> Result<(), Fault> {
    if session.role >= op.least {
        return Ok(());
    }
    let text = format!(
        "`{}` needs the role {}, you have {}",
        op.name, op.least, session.role
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

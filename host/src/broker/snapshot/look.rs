//! The way of a request that a snapshot may answer.

use super::entry::Kept;
use super::shelf::{Question, Step};
use super::text::{self, Stale};
use super::variant::{Subject, Variant};
use crate::broker::call::Call;
use crate::broker::pending::{Origin, Request, What};
use crate::broker::trip::Asking;
use crate::broker::{Broker, Place, State};
use patchbay_abi::{Fault, FaultKind};
use std::time::Instant;

/// What is to become of the answer to a request that goes through.
pub(in crate::broker) struct Aim {
    pub(in crate::broker) variant: Variant,
    /// Its client wants, or may see, no old answer.
    pub(in crate::broker) only_new: bool,
    /// When its client is shown the old answer.
    pub(in crate::broker) until: Instant,
}

impl State {
    /// A client does not wait any more for an answer; who that was, if the answer is still wanted.
    pub(in crate::broker) fn lets_go(&mut self, origin: Origin) -> Option<Asking> {
        let id = self.pending.id_of(origin)?;
        let request = self.pending.get(id)?;
        let What::Call {
            look: Some(look), ..
        } = &request.what
        else {
            return None;
        };
        let shelf = self.shelves.get(&request.backend.seat)?;
        let asking = Asking::of(request).filter(|_| shelf.is_flight(look))?;
        self.pending.orphan(id).map(|_| asking)
    }
}

impl Broker {
    /// A client looks.
    pub(in crate::broker) fn look(&self, subject: Subject, mut call: Call) -> Result<(), Fault> {
        let Some((variant, fresh)) = Variant::read(subject, &call.message.body)? else {
            return self.enter_call(call);
        };
        let (limits, now) = (self.limits(), Instant::now());
        let limits = &limits.snapshots;
        let mut guard = self.lock();
        let state = &mut *guard;
        let (seat, life) = self.may_ask(state, &call)?;
        let session = state.sessions.get_mut(call.session).map(|session| {
            let at = life.map(|epoch| Place { seat, epoch });
            let at = at.filter(|at| session.is_attached(*at));
            (session.let_in_by == Some(seat), at)
        });
        let (was_let_in, at) = session.unwrap_or_default();
        let question = Question {
            variant: &variant,
            session: call.session,
            fresh,
            epoch: life,
            is_well: self.seats[seat].why_down().is_none(),
            was_let_in,
            is_attached: at.is_some(),
        };
        let until = now + limits.patience;
        let shelf = state.shelves.entry(seat).or_default();
        match shelf.consider(&question, limits, now) {
            Step::Show(kept) => {
                drop(guard);
                self.count("snapshot_answers");
                self.show_kept(call.asking(seat), &kept, None);
            }
            Step::ShowOld(kept) => {
                drop(guard);
                self.count("snapshot_answers");
                let why = self.why_old(seat, None);
                self.show_old(call.asking(seat), subject, &kept, why);
            }
            Step::Wait => {
                let at = at.unwrap_or(call.origin.at);
                self.let_wait(state, at, call, variant, until);
            }
            Step::Go => {
                call.message.body = variant.args.to_string().into();
                call.look = Some(Aim {
                    variant,
                    only_new: fresh || !was_let_in,
                    until,
                });
                return self.enter_into(guard, call);
            }
        }
        Ok(())
    }

    fn let_wait(&self, state: &mut State, at: Place, call: Call, variant: Variant, until: Instant) {
        if let Some(session) = state.sessions.get_mut(call.session) {
            *session.in_flight_of(call.op) += 1;
        }
        let id = state.pending.enter(Request {
            origin: Some(call.origin),
            backend: at,
            session: call.session,
            what: What::Look {
                op: call.op,
                variant: variant.clone(),
                message: call.message,
            },
            deadline: Instant::now() + self.limits().request,
            // What it waits for is the backend.
            trip: call.trip.sent(),
        });
        let shelf = state.shelves.entry(at.seat).or_default();
        shelf.waits(&variant, id, until, false);
        self.sweep_by(state, until);
    }

    /// Answers with what is kept.
    pub(super) fn show_kept(&self, asking: Asking, kept: &Kept, old: Option<Vec<u8>>) {
        let age = kept.age(Instant::now());
        let body = old.unwrap_or_else(|| text::aged(&kept.body, age));
        self.answer_unasked(&asking, body);
    }

    /// Answers with what is kept although something newer was wanted.
    pub(super) fn show_old(&self, asking: Asking, subject: Subject, kept: &Kept, why: Stale) {
        self.count("snapshot_answers_stale");
        let why = match subject {
            Subject::Status => why,
            // What was said stays said, however the link is.
            Subject::Log => Stale { link: None, ..why },
        };
        let age = kept.age(Instant::now());
        self.show_kept(asking, kept, Some(text::stale(&kept.body, age, &why)));
    }

    /// The status of a backend as it is known now, if it is.
    pub(in crate::broker) fn status_now(&self, seat: usize) -> Option<Vec<u8>> {
        let kept = self.lock().shelves.get(&seat)?.plain(Subject::Status)?;
        let age = kept.age(Instant::now());
        let is_away = self.seats[seat].port().is_none() || self.seats[seat].why_down().is_some();
        Some(match is_away {
            true => text::stale(&kept.body, age, &self.why_old(seat, None)),
            false => text::aged(&kept.body, age),
        })
    }

    /// Why there is nothing newer of a backend.
    pub(super) fn why_old(&self, seat: usize, fault: Option<&Fault>) -> Stale {
        let backend = &self.seats[seat];
        let id = backend.id();
        let unavailable = fault.filter(|fault| fault.kind == FaultKind::Unavailable);
        let (link, why) = match (backend.port(), backend.why_down(), unavailable) {
            (None, ..) => (Some("down"), self.unavailable(seat).message),
            (_, Some(why), None) => (Some("down"), format!("`{id}` is down: {why}")),
            (_, Some(_), Some(fault)) => (Some("down"), fault.message.clone()),
            (_, None, Some(fault)) => (Some("connecting"), fault.message.clone()),
            (_, None, None) => {
                let why = format!("`{id}` has not answered yet; this is what was known before");
                (None, why)
            }
        };
        Stale { link, why }
    }
}

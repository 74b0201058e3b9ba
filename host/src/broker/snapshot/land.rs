//! The way of an answer that is kept, and of those who waited for it.

use super::Aim;
use super::entry::{Kept, Look};
use super::text;
use super::variant::Variant;
use crate::broker::call::Call;
use crate::broker::pending::{Request, What, reference_of};
use crate::broker::trip::Asking;
use crate::broker::{Broker, State};
use patchbay_abi::{Fault, FaultKind, Message};
use std::time::Instant;

/// Requests that waited.
#[derive(Default)]
struct Waiters {
    /// Who is to be answered,
    served: Vec<Asking>,
    /// or to ask for themselves.
    calls: Vec<Call>,
}

impl Broker {
    /// An answer that is to be kept has come, or a fault in its place.
    pub(in crate::broker) fn landed(
        &self,
        request: &Request,
        look: &Look,
        answer: Result<Message, Fault>,
    ) {
        match answer {
            Ok(reply) => self.landed_well(request, look, reply),
            Err(fault) => self.landed_badly(request, look, fault),
        }
    }

    fn landed_well(&self, request: &Request, look: &Look, reply: Message) {
        let (limits, at) = (self.limits(), request.backend);
        let limits = &limits.snapshots;
        let is_kept = text::is_object(&reply.body) && reply.blobs.is_empty();
        let body = is_kept.then(|| reply.body.clone());
        let (served, calls, kept, farewells) = {
            let mut guard = self.lock();
            let state = &mut *guard;
            let shelf = state.shelves.entry(at.seat).or_default();
            let landed = shelf.lands(look, at.epoch, body, limits);
            let kept = shelf.kept(look.variant());
            let until = Instant::now() + limits.patience;
            let served = state.take_waiters(&landed.served, until).served;
            let mut calls = state.take_waiters(&landed.alone, until).calls;
            calls.extend(state.take_stranded(at.seat, look.variant()));
            let farewells = std::mem::take(&mut state.farewells);
            (served, calls, kept, farewells)
        };
        self.say_farewells(farewells);
        self.answer(request, Ok(reply));
        if let Some(kept) = kept {
            for asking in served {
                self.show_kept(asking, &kept, None);
            }
        }
        self.send_all(calls);
    }

    fn landed_badly(&self, request: &Request, look: &Look, fault: Fault) {
        let at = request.backend;
        let (waiters, kept, farewells) = {
            let mut guard = self.lock();
            let state = &mut *guard;
            let shelf = state.shelves.entry(at.seat).or_default();
            let (ids, kept) = shelf.fails(look);
            let until = Instant::now() + self.limits().snapshots.patience;
            let waiters = state.take_waiters(&ids, until);
            (waiters, kept, std::mem::take(&mut state.farewells))
        };
        self.say_farewells(farewells);
        match kept.filter(|kept| is_shown_for(kept, at.epoch, &fault)) {
            Some(kept) => {
                let show = |asking| {
                    let why = self.why_old(at.seat, Some(&fault));
                    self.show_old(asking, look.variant.subject, &kept, why);
                };
                match Asking::of(request) {
                    Some(own) if !look.only_new => show(own),
                    _ => self.answer(request, Err(fault.clone())),
                }
                waiters.served.into_iter().for_each(show);
            }
            None => {
                self.answer(request, Err(fault));
                self.send_all(waiters.calls);
            }
        }
    }

    /// A request that waited for another one's answer is answered otherwise.
    pub(in crate::broker) fn answer_look(&self, request: &Request, answer: Result<Message, Fault>) {
        let seat = request.backend.seat;
        let kept = request.what.variant().and_then(|variant| {
            let state = self.lock();
            let kept = state.shelves.get(&seat)?.kept(variant)?;
            Some((variant.subject, kept))
        });
        match (kept.zip(Asking::of(request)), answer) {
            (Some(((subject, kept), asking)), Err(fault))
                if is_shown_for(&kept, request.backend.epoch, &fault) =>
            {
                let why = self.why_old(seat, Some(&fault));
                self.show_old(asking, subject, &kept, why);
            }
            (_, answer) => self.answer(request, answer),
        }
    }

    fn send_all(&self, calls: Vec<Call>) {
        for call in calls {
            let (origin, trip) = (call.origin, call.trip);
            if let Err(fault) = self.enter_call(call) {
                self.count("requests_refused");
                self.turned_away(origin, trip, &fault);
                self.refuse(origin, fault);
            }
        }
    }
}

/// Whether an old answer says more than the fault does. That of an earlier life says only how things were before the
/// backend went down.
fn is_shown_for(kept: &Kept, epoch: u64, fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Unavailable => true,
        FaultKind::Timeout => kept.epoch == epoch,
        _ => false,
    }
}

impl State {
    /// Takes out requests that wait; whoever is gone meanwhile is not among them.
    fn take_waiters(&mut self, ids: &[u64], until: Instant) -> Waiters {
        let mut waiters = Waiters::default();
        for id in ids {
            let Some(request) = self.take(*id) else {
                continue;
            };
            waiters.served.extend(Asking::of(&request));
            waiters.calls.extend(as_call(request, until));
        }
        waiters
    }

    /// Takes out the first of those who wait although nobody asks: it asks, and the others wait for that.
    fn take_stranded(&mut self, seat: usize, variant: &Variant) -> Option<Call> {
        loop {
            let shelf = self.shelves.get_mut(&seat)?;
            let (id, until) = shelf.stranded(variant)?;
            shelf.leaves(variant, id);
            if let Some(request) = self.take(id) {
                return as_call(request, until);
            }
        }
    }
}

fn as_call(request: Request, until: Instant) -> Option<Call> {
    let origin = request.origin?;
    let What::Look {
        op,
        variant,
        message,
    } = request.what
    else {
        return None;
    };
    Some(Call {
        reference: reference_of(&message),
        trip: request.trip,
        origin,
        session: request.session,
        asker: request.session,
        op,
        message,
        once: None,
        look: Some(Aim {
            variant,
            only_new: false,
            until,
        }),
    })
}

//! What time brings, and what is heard: patience ends, and the host asks anew by itself.

use super::entry::Kept;
use super::variant::{Subject, Variant};
use crate::broker::pending::{Request, What, call_message};
use crate::broker::trip::{Asking, Trip};
use crate::broker::{Broker, Place, State};
use patchbay_abi::{Buffer, Kind, Message, head};
use patchbay_sdk::model::find_op;
use std::sync::MutexGuard;
use std::time::Instant;

impl Broker {
    /// A backend tells something.
    pub(in crate::broker) fn heard(&self, from: Place, event: &head::Event, body: &Buffer) {
        let mut state = self.lock();
        let shelf = state.shelves.entry(from.seat).or_default();
        if shelf.hears(event, body) {
            self.refresh(state, from.seat);
        }
    }

    /// A backend has answered a request that changes something, or has failed to.
    pub(in crate::broker) fn changed(&self, seat: usize) {
        let mut state = self.lock();
        state.shelves.entry(seat).or_default().touched_all();
        self.refresh(state, seat);
    }

    /// Asks anew for what somebody wanted lately and may have changed.
    fn refresh(&self, mut guard: MutexGuard<'_, State>, seat: usize) {
        let (limits, now) = (self.limits(), Instant::now());
        let limits = &limits.snapshots;
        let state = &mut *guard;
        let Some(shelf) = state.shelves.get_mut(&seat) else {
            return;
        };
        let due = shelf.due(limits, now);
        let next = shelf.next_refresh(limits, now);
        let mut to_send = Vec::new();
        if !due.is_empty()
            && let Some((epoch, _)) = self.seats[seat].port()
        {
            let at = Place { seat, epoch };
            let asked = due
                .into_iter()
                .filter_map(|(variant, session)| self.ask_anew(state, at, variant, session));
            to_send.extend(asked);
        }
        if let Some(next) = next {
            self.sweep_by(state, next);
        }
        drop(guard);
        for (id, at, message) in to_send {
            self.hand_over(id, at, message);
        }
    }

    /// In the session that asked last, or another one that is logged in there.
    fn ask_anew(
        &self,
        state: &mut State,
        at: Place,
        variant: Variant,
        last: u64,
    ) -> Option<(u64, Place, Message)> {
        let op = find_op(variant.subject.op())?;
        if state.pending.len() >= self.limits().in_flight {
            return None;
        }
        let session = state.sessions.attached(at, last)?;
        let asked = Message::bare(Kind::CALL, 0).body(variant.args.to_string());
        let look = state
            .shelves
            .entry(at.seat)
            .or_default()
            .departs(variant, false);
        let deadline = self.limits().request;
        let mut trip = Trip::begin(&asked);
        trip.asks(op);
        let id = state.pending.enter(Request {
            origin: None,
            backend: at,
            session,
            what: What::Refresh(look),
            deadline: Instant::now() + deadline,
            trip,
        });
        self.count("snapshot_refreshes");
        Some((id, at, call_message(id, session, op, deadline, asked, None)))
    }

    /// Does what is due; when to come again.
    pub(in crate::broker) fn tend(&self, now: Instant) -> Option<Instant> {
        let limits = self.limits();
        let limits = &limits.snapshots;
        let mut state = self.lock();
        let seats: Vec<usize> = state.shelves.keys().copied().collect();
        let impatient: Vec<_> = seats
            .iter()
            .flat_map(|seat| state.take_impatient(*seat, now))
            .collect();
        let farewells = std::mem::take(&mut state.farewells);
        drop(state);
        self.say_farewells(farewells);
        for (asking, subject, kept) in impatient {
            let why = self.why_old(asking.seat, None);
            self.show_old(asking, subject, &kept, why);
        }
        for seat in seats {
            self.refresh(self.lock(), seat);
        }
        let state = self.lock();
        let times = state.shelves.values().flat_map(|shelf| {
            let refresh = shelf.next_refresh(limits, now);
            refresh.into_iter().chain(shelf.next_impatient())
        });
        times.min()
    }
}

impl State {
    /// Whose patience has ended. A request that was sent goes on without them.
    fn take_impatient(&mut self, seat: usize, now: Instant) -> Vec<(Asking, Subject, Kept)> {
        let Some(shelf) = self.shelves.get_mut(&seat) else {
            return Vec::new();
        };
        let impatient = shelf.impatient(now);
        let shown = impatient.into_iter().filter_map(|(id, kept)| {
            let request = self.pending.get(id)?;
            let (subject, trip) = (request.what.variant()?.subject, request.trip);
            let session = request.session;
            let origin = match request.what {
                What::Look { .. } => self.take(id)?.origin?,
                _ => self.pending.orphan(id)?,
            };
            let asking = Asking {
                origin,
                session,
                seat,
                trip,
            };
            Some((asking, subject, kept))
        });
        shown.collect()
    }
}

//! How a frontend's clients get to another backend while everything runs.
//!
//! Requests that are under way finish where they began. A session moves with its next request: it is
//! logged in at the new backend, on the host's word and without its secret unless that is its
//! authority, and logged out at the old one as soon as nothing of it is under way there. Events come
//! from the new backend from now on, after a `gap` that names its epoch.

use super::{Broker, Seat, Wish};
use std::collections::HashSet;

impl Broker {
    /// Routes a frontend to a backend, both by their ids.
    ///
    /// # Errors
    /// If there is no such frontend or backend: a sentence that names those that there are.
    pub fn route(&self, frontend: &str, backend: &str) -> Result<(), String> {
        let _whole = self.lock_routes();
        let (from, to) = self.ends_of(frontend, backend)?;
        self.lead(from, to);
        Ok(())
    }

    /// The positions of a frontend and a backend.
    pub(super) fn ends_of(&self, frontend: &str, backend: &str) -> Result<(usize, usize), String> {
        let from = self.seat_of(frontend, "frontend", Seat::is_frontend)?;
        let to = self.seat_of(backend, "backend", |seat| !seat.is_frontend())?;
        Ok((from, to))
    }

    /// Leads the requests of a frontend to a backend, both by their positions; the routes are locked.
    pub(super) fn lead(&self, from: usize, to: usize) {
        self.drop_switch(from);
        let before = self.seats[from].route_to(to);
        self.readers_follow(from, before, to);
    }

    /// A frontend's requests go elsewhere now; so does whoever reads events there.
    pub(super) fn readers_follow(&self, from: usize, before: Option<usize>, to: usize) {
        if before == Some(to) {
            return;
        }
        self.leave_control(from, before);
        let left = before.and_then(|before| self.seats[before].journal());
        let reader = left.and_then(|journal| journal.release(from));
        if let (Some(reader), Some(journal)) = (reader, self.seats[to].journal()) {
            self.telling(to, |telling| journal.adopt(reader, telling));
        }
        let (frontend, backend) = (self.seats[from].id(), self.seats[to].id());
        tracing::info!(frontend, backend, "routed to another backend");
        self.count("routes_changed");
    }

    /// Whoever came through a frontend that leads elsewhere now cannot give control back any more.
    fn leave_control(&self, frontend: usize, left: Option<usize>) {
        let clients: HashSet<u64> = {
            let state = self.lock();
            let of_it = state
                .sessions
                .iter()
                .filter(|(_, session)| session.frontend.seat == frontend);
            of_it.map(|(id, _)| *id).collect()
        };
        self.end_control(|backend, holder| {
            Some(backend) == left && clients.contains(&holder.session)
        });
    }

    /// Asks for an instance to be ended and started anew.
    ///
    /// # Errors
    /// If there is no such instance: a sentence that names those that there are.
    pub fn restart(&self, instance: &str) -> Result<(), String> {
        let seat = self.seat_of(instance, "instance", |_| true)?;
        self.seats[seat].wish(Wish::restart());
        Ok(())
    }

    pub(super) fn seat_of(
        &self,
        id: &str,
        what: &str,
        fits: impl Fn(&Seat) -> bool,
    ) -> Result<usize, String> {
        let fitting = || self.present().filter(|(_, seat)| fits(seat));
        let found = fitting().find(|(_, seat)| seat.id() == id);
        found.map(|(position, _)| position).ok_or_else(|| {
            let known: Vec<&str> = fitting().map(|(_, seat)| seat.id()).collect();
            format!("there is no {what} `{id}`; there are: {}", known.join(", "))
        })
    }
}

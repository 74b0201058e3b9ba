//! What a new configuration changes of a broker that runs: limits, who gets in and where to, instances that come and go.

use super::{Broker, Limits, Route, Seat};
use std::time::Duration;

impl Broker {
    /// Other limits, for whatever comes from now on.
    pub fn limit(&self, limits: Limits) {
        self.limits.store(limits.into());
        // The sweeper may sleep for longer than a new deadline is.
        self.limited.notify_one();
    }

    /// Returns when the limits have changed.
    pub async fn limits_changed(&self) {
        self.limited.notified().await;
    }

    /// How much is kept of each backend's events from now on.
    pub fn keep(&self, bytes: usize, age: Duration) {
        let journals = self.seats.iter().filter_map(|(_, seat)| seat.journal());
        journals.for_each(|journal| journal.keep(bytes, age));
    }

    /// Another instance, which has not started yet; its position.
    pub fn add(&self, seat: Seat) -> usize {
        self.seats.push(seat)
    }

    /// The position of the instance of that id.
    pub fn position(&self, id: &str) -> Option<usize> {
        let mut present = self.present();
        present
            .find(|(_, seat)| seat.id() == id)
            .map(|(position, _)| position)
    }

    /// Clients of a frontend get in by other rules, and their requests go to another backend if that
    /// is another one. Those who are in stay, with no more than the new rules allow.
    pub fn admit_by(&self, frontend: usize, route: Route) {
        let _whole = self.lock_routes();
        let seat = &self.seats[frontend];
        let to = route.backend;
        let before = seat.route().map(|route| route.backend);
        let mut state = self.lock();
        for session in state.sessions.all_of(frontend) {
            session.follow(&route);
        }
        seat.admit_by(route);
        drop(state);
        if before != Some(to) {
            self.lead(frontend, to);
        }
    }

    /// The instance is in the configuration no more: it is not found by its id, and frontends that an
    /// operator led there are led to where the configuration leads them; the ids of those.
    pub fn retire(&self, position: usize) -> Vec<String> {
        let _whole = self.lock_routes();
        self.seats[position].retire();
        self.drop_switch(position);
        self.drop_switches_to(position);
        let led_there = self.led_to(position);
        for (frontend, seat) in &led_there {
            if let Some(route) = seat.route() {
                self.lead(*frontend, route.backend);
            }
        }
        let ids = led_there.iter().map(|(_, seat)| seat.id().to_owned());
        ids.collect()
    }

    /// The frontends whose requests go to that backend.
    fn led_to(&self, backend: usize) -> Vec<(usize, &Seat)> {
        let present = self.present();
        present
            .filter(|(_, seat)| seat.backend_now() == Some(backend))
            .collect()
    }

    /// The ids of the frontends whose requests go to that backend, although the configuration leads
    /// them elsewhere.
    pub fn led_astray_to(&self, backend: usize) -> Vec<String> {
        let led = self.led_to(backend).into_iter();
        let astray = led.filter(|(_, seat)| {
            let route = seat.route();
            route.is_none_or(|route| route.backend != backend)
        });
        astray.map(|(_, seat)| seat.id().to_owned()).collect()
    }

    /// Whether the instance owes answers, in its present life.
    pub fn owes_now(&self, position: usize) -> bool {
        let epoch = self.seats[position].port().map(|(epoch, _)| epoch);
        epoch.is_some_and(|epoch| self.owes(position, epoch))
    }

    /// A retired instance has ended: what was kept of it is dropped.
    pub fn forget(&self, position: usize) {
        if let Some(journal) = self.seats[position].journal() {
            journal.clear();
        }
        self.lock().shelves.remove(&position);
    }
}

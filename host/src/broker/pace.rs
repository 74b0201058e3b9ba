//! How often logins may be tried: so many a second by each frontend, and from each place of a client there. Whoever
//! guesses passwords is slowed down, and keeps nobody else out.
//!
//! A bucket holds what ten seconds bring, so that everybody can come back at once after a restart. A login that is refused
//! counts ten times. Only logins are slowed down: whoever is in, and their emergency stop, is not concerned.

use super::pending::Origin;
use super::{Broker, Limits};
use patchbay_abi::{Fault, FaultKind};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A bucket holds what so many seconds bring.
const SECONDS: f64 = 10.0;

/// What a refused login costs beyond what every login costs.
const REFUSED: f64 = 9.0;

/// Places that are told apart; those beyond share one bucket for each frontend.
const MOST: usize = 4096;

/// The buckets of all frontends, and of the places of their clients.
#[derive(Default)]
pub(super) struct Pace {
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    frontends: HashMap<usize, Bucket>,
    places: HashMap<(usize, String), Bucket>,
}

struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn full(per_second: f64, now: Instant) -> Self {
        let left = per_second * SECONDS;
        Bucket { left, at: now }
    }

    fn fill(&mut self, per_second: f64, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + since * per_second).min(per_second * SECONDS);
        self.at = now;
    }

    /// Whether there was one left to take.
    fn take(&mut self, per_second: f64, now: Instant) -> bool {
        self.fill(per_second, now);
        let some = self.left >= 1.0;
        self.left -= f64::from(u8::from(some));
        some
    }
}

impl Buckets {
    fn place(
        &mut self,
        frontend: usize,
        client: &str,
        per_second: f64,
        now: Instant,
    ) -> &mut Bucket {
        let mut key = (frontend, place(client));
        if self.places.len() >= MOST && !self.places.contains_key(&key) {
            // Those that are full again say nothing.
            self.places.retain(|_, bucket| {
                bucket.fill(per_second, now);
                bucket.left < per_second * SECONDS
            });
            if self.places.len() >= MOST {
                key.1.clear();
            }
        }
        let full = || Bucket::full(per_second, now);
        self.places.entry(key).or_insert_with(full)
    }
}

impl Pace {
    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another login may be tried now; the key of the limit that says no.
    fn admit(
        &self,
        frontend: usize,
        client: &str,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), (&'static str, usize)> {
        let mut buckets = self.lock();
        let (all, each) = (limits.logins_per_s, limits.logins_per_s_and_client);
        // First that of the place, so that who is slowed down takes nothing from the others.
        if !buckets
            .place(frontend, client, each as f64, now)
            .take(each as f64, now)
        {
            return Err(("max_logins_per_s_and_client", each));
        }
        let full = || Bucket::full(all as f64, now);
        let bucket = buckets.frontends.entry(frontend).or_insert_with(full);
        match bucket.take(all as f64, now) {
            true => Ok(()),
            false => Err(("max_logins_per_s", all)),
        }
    }

    fn refused(&self, frontend: usize, client: &str, limits: &Limits, now: Instant) {
        let each = limits.logins_per_s_and_client as f64;
        let mut buckets = self.lock();
        let bucket = buckets.place(frontend, client, each, now);
        bucket.fill(each, now);
        bucket.left = (bucket.left - REFUSED).max(0.0);
    }
}

/// Without the number of the connection: a client that connects anew is at the same place.
fn place(client: &str) -> String {
    match client.parse::<SocketAddr>() {
        Ok(address) => address.ip().to_string(),
        Err(_) => client.to_owned(),
    }
}

impl Broker {
    /// Whether a login may be tried now.
    pub(super) fn check_pace(&self, origin: Origin, client: &str) -> Result<(), Fault> {
        let now = Instant::now();
        let admitted = self.pace.admit(origin.at.seat, client, &self.limits(), now);
        admitted.map_err(|(key, limit)| {
            let then = "one that is refused counts ten times; try again in a moment";
            self.limit_hit(key, limit, "logins a second", then)
        })
    }

    /// Somebody was refused for who they are, or for what they know.
    pub(super) fn note_refused_login(&self, origin: Origin, client: &str, fault: &Fault) {
        if fault.kind == FaultKind::Unauthorized {
            let (limits, now) = (self.limits(), Instant::now());
            self.pace.refused(origin.at.seat, client, &limits, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn limits(all: usize, each: usize) -> Limits {
        let second = Duration::from_secs(1);
        Limits {
            sessions: 1,
            in_flight: 1,
            in_flight_per_session: 1,
            logins_pending: 1,
            logins_per_s: all,
            logins_per_s_and_client: each,
            body_bytes: 1,
            frontend_share: 100,
            events_per_second: 1,
            lines_per_second: 1,
            request: second,
            long: second,
            login: second,
            snapshots: crate::broker::Snapshots::default(),
        }
    }

    #[test]
    fn a_place_is_slowed_down_whatever_its_connections_and_others_are_not() {
        let (pace, limits, now) = (Pace::default(), limits(1000, 2), Instant::now());
        let admit = |client: &str, now| pace.admit(0, client, &limits, now).is_ok();
        let port = |n: usize| format!("10.0.0.1:{}", 1000 + n);
        assert_eq!((0..50).filter(|n| admit(&port(*n), now)).count(), 20);
        assert!(admit("10.0.0.2:1000", now));
        assert!(
            pace.admit(1, "10.0.0.1:1", &limits, now).is_ok(),
            "elsewhere"
        );
        let later = now + Duration::from_secs(1);
        assert_eq!((0..50).filter(|n| admit(&port(*n), later)).count(), 2);
        let much_later = now + Duration::from_secs(3600);
        assert_eq!((0..50).filter(|n| admit(&port(*n), much_later)).count(), 20);
    }

    #[test]
    fn guesses_count_ten_times() {
        let (pace, limits, now) = (Pace::default(), limits(1000, 10), Instant::now());
        let mut guesses = 0;
        while pace.admit(0, "here", &limits, now).is_ok() {
            pace.refused(0, "here", &limits, now);
            guesses += 1;
        }
        assert_eq!(guesses, 10);
    }

    #[test]
    fn a_frontend_is_slowed_down_and_takes_nothing_from_another() {
        let (pace, limits, now) = (Pace::default(), limits(1, 5), Instant::now());
        let from = |seat, n: usize| pace.admit(seat, &n.to_string(), &limits, now);
        assert_eq!((0..50).filter(|n| from(0, *n).is_ok()).count(), 10);
        assert_eq!(from(0, 99), Err(("max_logins_per_s", 1)));
        assert!(from(1, 1).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_a_crowd_shares_a_bucket() {
        let (pace, limits, now) = (Pace::default(), limits(1_000_000, 1), Instant::now());
        let admitted =
            (0..3 * MOST).filter(|n| pace.admit(0, &n.to_string(), &limits, now).is_ok());
        assert_eq!(admitted.count(), MOST + 10);
        assert!(pace.lock().places.len() <= MOST + 1);
    }
}

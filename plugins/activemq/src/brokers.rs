//! Which of the configured brokers both connections use.
//!
//! A temporary queue lives at one broker, so the two connections must not be at different ones. The reading one chooses, in
//! the order of the list; the answering one follows it. Where the answering one cannot go it says so, and the reading one
//! goes on to the next.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_sdk::Backoff;
use tokio::sync::watch;

use crate::stomp::Target;

/// Before the first and at most between further attempts.
pub const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The list, and where in it we are.
pub struct Brokers {
    targets: Vec<Target>,
    /// The one that the reading connection reached last.
    chosen: watch::Sender<Option<usize>>,
    /// The one that the answering connection cannot reach.
    unfit: watch::Sender<Option<usize>>,
    /// Why each could not be used, since one could.
    causes: Mutex<Vec<Option<String>>>,
}

impl Brokers {
    /// At none of `targets` so far.
    pub fn new(targets: Vec<Target>) -> Self {
        Self {
            causes: Mutex::new(vec![None; targets.len()]),
            chosen: watch::Sender::new(None),
            unfit: watch::Sender::new(None),
            targets,
        }
    }

    /// The one with that number, which is one of a [`Tour`] or of [`Brokers::chosen`].
    pub fn target(&self, number: usize) -> &Target {
        &self.targets[number]
    }

    /// Whether there is another to go to.
    pub fn are_many(&self) -> bool {
        self.targets.len() > 1
    }

    /// The way through the list.
    pub fn tour(&self) -> Tour {
        Tour::new(self.targets.len())
    }

    /// The reading connection has reached that broker.
    pub fn choose(&self, number: usize) {
        self.unfit.send_replace(None);
        self.chosen.send_replace(Some(number));
    }

    /// Requests come from one of them: what was wrong with the others is of no interest now.
    pub fn works(&self) {
        self.causes().fill(None);
    }

    /// Notes why that broker cannot be used, and tells what is wrong with all.
    pub fn failed(&self, number: usize, cause: &dyn Display) -> String {
        let mut causes = self.causes();
        causes[number] = Some(self.described(number, cause));
        let known: Vec<&str> = causes.iter().flatten().map(String::as_str).collect();
        known.join("; ")
    }

    /// What is wrong with that broker.
    pub fn described(&self, number: usize, cause: &dyn Display) -> String {
        format!("{}: {cause}", self.target(number).address)
    }

    /// The broker for the answering connection, once there is one.
    pub async fn chosen(&self) -> usize {
        let mut chosen = self.chosen.subscribe();
        loop {
            let number = *chosen.borrow_and_update();
            match number {
                Some(number) => return number,
                None => changed(&mut chosen).await,
            }
        }
    }

    /// Waits until the answering connection has to be at another broker than that.
    pub async fn left(&self, number: usize) {
        let mut chosen = self.chosen.subscribe();
        while *chosen.borrow_and_update() == Some(number) {
            changed(&mut chosen).await;
        }
    }

    /// The answering connection cannot be made to that broker.
    pub fn give_up(&self, number: usize) {
        self.unfit.send_replace(Some(number));
    }

    /// Waits until that broker is given up.
    pub async fn given_up(&self, number: usize) {
        let mut unfit = self.unfit.subscribe();
        while *unfit.borrow_and_update() != Some(number) {
            changed(&mut unfit).await;
        }
    }

    fn causes(&self) -> MutexGuard<'_, Vec<Option<String>>> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sender lives as long as whoever waits here.
async fn changed(watched: &mut watch::Receiver<Option<usize>>) {
    if watched.changed().await.is_err() {
        std::future::pending().await
    }
}

/// From one broker to the next, without a pause within a round.
pub struct Tour {
    count: usize,
    at: usize,
    failed: usize,
    backoff: Backoff,
}

impl Tour {
    fn new(count: usize) -> Self {
        Self {
            count,
            at: 0,
            failed: 0,
            backoff: Backoff::new(BACKOFF.0, BACKOFF.1),
        }
    }

    /// The number of the broker to try.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes on after the end of a connection, and says how long to wait before the next one. After one that had `lasted` it
    /// is the same broker's turn again: if only the connection broke, the clients are still there.
    pub fn next(&mut self, lasted: bool) -> Duration {
        if lasted {
            self.failed = 0;
            self.backoff.reset();
            return self.backoff.wait();
        }
        self.failed += 1;
        self.at = (self.at + 1) % self.count;
        if self.failed.is_multiple_of(self.count) {
            self.backoff.wait()
        } else {
            Duration::ZERO
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_tried_in_turn_and_then_there_is_a_pause() {
        let mut tour = Tour::new(3);
        let mut seen = Vec::new();
        for _ in 0..6 {
            let at = tour.at();
            seen.push((at, tour.next(false).is_zero()));
        }
        let round = [(0, true), (1, true), (2, false)];
        assert_eq!(seen, [round, round].concat());
    }

    #[test]
    fn a_broker_that_was_good_for_a_while_is_tried_again_first() {
        let mut tour = Tour::new(2);
        tour.next(false);
        assert!(tour.next(true) <= BACKOFF.0);
        assert_eq!(tour.at(), 1);
        assert!(tour.next(false).is_zero());
        assert_eq!(tour.at(), 0);
    }

    #[test]
    fn with_one_broker_there_is_a_pause_before_each_attempt() {
        let mut tour = Tour::new(1);
        assert!((0..5).all(|_| !tour.next(false).is_zero() && tour.at() == 0));
    }
}

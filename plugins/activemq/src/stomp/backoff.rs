//! How long to wait before the next attempt.

use std::time::Duration;

/// Doubling delays with a cap, each shortened by up to half at random so that many gateways do not knock together.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    next: Duration,
}

impl Backoff {
    /// Begins at `first`; never waits longer than `cap`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self {
            first,
            cap,
            next: first,
        }
    }

    /// The delay before the next attempt.
    pub fn delay(&mut self) -> Duration {
        let full = self.next.min(self.cap);
        self.next = (full * 2).min(self.cap);
        full.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// After a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let first = backoff.delay();
        assert!((50..=100).contains(&first.as_millis()));
        let many: Vec<_> = (0..100).map(|_| backoff.delay()).collect();
        assert!(many.iter().all(|delay| *delay <= Duration::from_secs(1)));
        assert!(many[99] >= Duration::from_millis(500));
        backoff.reset();
        assert!(backoff.delay() <= Duration::from_millis(100));
    }
}

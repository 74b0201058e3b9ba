//! How often an instance has failed lately, and what follows.

use crate::config::Restart;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often an instance has failed lately.
pub(super) struct Failures {
    policy: Restart,
    recent: VecDeque<Instant>,
}

impl Failures {
    pub(super) fn new(policy: Restart) -> Self {
        Failures {
            policy,
            recent: VecDeque::new(),
        }
    }

    /// From now on this holds of failures.
    pub(super) fn follow(&mut self, policy: Restart) {
        self.policy = policy;
    }

    /// An operator says that the cause is mended.
    pub(super) fn forgive(&mut self) {
        self.recent.clear();
    }

    /// Notes a failure. How long to wait before the next start: twice as long for each recent
    /// failure, with jitter; `None` if there shall be none.
    pub(super) fn next_pause(&mut self) -> Option<Duration> {
        let now = Instant::now();
        self.recent
            .retain(|failure| now.duration_since(*failure) <= self.policy.window);
        if self.recent.len() >= self.policy.max as usize {
            return None;
        }
        let doubled = self
            .policy
            .backoff_min
            .saturating_mul(1 << self.recent.len().min(16));
        self.recent.push_back(now);
        Some(
            doubled
                .min(self.policy.backoff_max)
                .mul_f64(0.75 + 0.25 * fastrand::f64()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(max: u32, window: Duration) -> Failures {
        Failures::new(Restart {
            backoff_min: Duration::from_millis(100),
            backoff_max: Duration::from_millis(300),
            max,
            window,
            max_abandoned: 3,
        })
    }

    #[test]
    fn pauses_grow_to_a_limit_and_then_comes_quarantine() {
        let mut failures = failures(4, Duration::from_secs(600));
        let pauses: Vec<u128> = (0..4)
            .map_while(|_| failures.next_pause())
            .map(|p| p.as_millis())
            .collect();
        let within = [(75, 100), (150, 200), (225, 300), (225, 300)];
        for (pause, (least, most)) in pauses.iter().zip(within) {
            assert!((least..=most).contains(pause), "{pauses:?}");
        }
        assert_eq!((pauses.len(), failures.next_pause()), (4, None));
        failures.forgive();
        assert!(failures.next_pause().is_some());
    }

    #[test]
    fn instances_that_failed_together_do_not_start_together() {
        let pauses: Vec<Duration> = (0..20)
            .filter_map(|_| failures(4, Duration::from_secs(600)).next_pause())
            .collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    }

    #[test]
    fn old_failures_are_forgiven() {
        let mut failures = failures(1, Duration::ZERO);
        assert!(failures.next_pause().is_some());
        std::thread::sleep(Duration::from_millis(2));
        assert!(failures.next_pause().is_some());
    }
}

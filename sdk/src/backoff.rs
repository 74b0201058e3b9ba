//! How long to wait before trying again.

use std::time::Duration;

/// Doubles with each failure up to a cap, with jitter so that many clients do not knock together.
///
/// ```
/// # use patchbay_sdk::Backoff;
/// # use std::time::Duration;
/// let (first, most) = (Duration::from_millis(100), Duration::from_secs(2));
/// let mut backoff = Backoff::new(first, most);
/// assert!(backoff.wait() <= first);
/// // … the second attempt fails as well …
/// assert!(backoff.wait() <= 2 * first);
/// // … and the third succeeds.
/// backoff.reset();
/// assert!(backoff.wait() <= first);
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// The first wait, and the longest.
    #[must_use]
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            failures: 0,
        }
    }

    /// After a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next wait: half to all of what the number of failures says.
    pub fn wait(&mut self) -> Duration {
        let factor = 2u32.saturating_pow(self.failures.min(30));
        self.failures = self.failures.saturating_add(1);
        let full = self.first.saturating_mul(factor).min(self.most);
        full.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_start_over_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        let waits: Vec<_> = (0..40).map(|_| backoff.wait()).collect();
        assert!(waits[0] <= Duration::from_millis(100));
        assert!(
            waits[10..]
                .iter()
                .all(|wait| *wait >= Duration::from_secs(1) && *wait <= Duration::from_secs(2))
        );
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(100));
    }
}

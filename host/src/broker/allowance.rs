//! How much a plugin may say in a second, so that one that never stops talking harms nobody else: neither those who
//! read its events, nor the log lines of others.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// What was said in this second.
pub(super) struct Allowance {
    second: Mutex<Second>,
}

struct Second {
    begun: Instant,
    taken: u32,
    /// Since the last one that was taken.
    refused: u64,
}

impl Allowance {
    pub(super) fn new() -> Self {
        let second = Second {
            begun: Instant::now(),
            taken: 0,
            refused: 0,
        };
        Allowance {
            second: Mutex::new(second),
        }
    }

    /// Whether one more may be said now, of so many in a second, and if so, how many were refused since the last one that was taken.
    pub(super) fn take(&self, most: u32) -> Option<u64> {
        self.take_at(Instant::now(), most)
    }

    fn take_at(&self, now: Instant, most: u32) -> Option<u64> {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(second.begun) >= SECOND {
            (second.begun, second.taken) = (now, 0);
        }
        if second.taken >= most {
            second.refused += 1;
            return None;
        }
        second.taken += 1;
        Some(std::mem::take(&mut second.refused))
    }

    /// How many were refused since the last one that was taken.
    pub(super) fn rest(&self) -> u64 {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut second.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own_and_what_was_refused_is_told_once() {
        let begun = Instant::now();
        let allowance = Allowance::new();
        let say = |after: u64| allowance.take_at(begun + Duration::from_millis(after), 2);
        assert_eq!(
            [say(0), say(1), say(2), say(3)],
            [Some(0), Some(0), None, None]
        );
        assert_eq!([say(1500), say(1501), say(1502)], [Some(2), Some(0), None]);
        assert_eq!([allowance.rest(), allowance.rest()], [1, 0]);
    }
}

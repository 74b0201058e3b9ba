//! How often something may happen.

use std::time::Duration;
use tokio::time::Instant;

/// So many in each span of time.
pub(crate) struct Rate {
    most: u32,
    span: Duration,
    begun: Instant,
    count: u32,
}

impl Rate {
    pub(crate) fn new(most: u32, span: Duration) -> Self {
        Rate {
            most,
            span,
            begun: Instant::now(),
            count: 0,
        }
    }

    /// Counts one; whether it may be.
    pub(crate) fn takes_one(&mut self) -> bool {
        if self.begun.elapsed() >= self.span {
            self.begun = Instant::now();
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.count <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_in_each_span() {
        let mut rate = Rate::new(2, Duration::from_secs(1));
        let taken = |rate: &mut Rate| [rate.takes_one(), rate.takes_one(), rate.takes_one()];
        assert_eq!(taken(&mut rate), [true, true, false]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(&mut rate), [true, true, false]);
    }
}

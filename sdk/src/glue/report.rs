//! What an instance tells the host of itself once a second, if there is anything to tell: how much waits
//! in the SDK's queues, and how long answers waited for the task that had asked.

use patchbay_abi::{Kind, Message, Port, head};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);

/// Tells what `look` finds, until that says that there is nothing more to look at.
pub(super) async fn report(host: Port, mut look: impl FnMut() -> Option<Vec<head::Metric>>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(found) = look() else { return };
        for metric in found {
            host.deliver(Message::new(Kind::METRIC, 0, &metric));
        }
    }
}

/// A length that is told when it has changed.
#[derive(Default)]
pub(super) struct Depth(i64);

impl Depth {
    pub(super) fn changed(&mut self, gauge: &str, now: usize) -> Option<head::Metric> {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        (std::mem::replace(&mut self.0, now) != now).then(|| head::Metric::level(gauge, now))
    }
}

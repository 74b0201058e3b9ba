//! Heart-beats: what is asked for, what was agreed, when to beat and when to give up.

use std::time::Duration;

/// What both sides promised in CONNECT and CONNECTED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeartBeat {
    /// We promised to send something this often; `None`: no promise.
    pub ours: Option<Duration>,
    /// The broker promised to send something this often; `None`: no promise.
    pub theirs: Option<Duration>,
}

impl HeartBeat {
    /// From our wish (used for both directions) and the broker's `heart-beat:sx,sy`, by the rule of STOMP 1.1: the
    /// slower of the two wins and 0 on either side means none.
    pub fn agree(wish: Duration, answer: Option<&str>) -> Self {
        let (sends, wants) = answer.and_then(parse).unwrap_or_default();
        Self {
            ours: slower(wish, wants),
            theirs: slower(wish, sends),
        }
    }

    /// We beat at half the promised interval: ActiveMQ's check has no grace.
    pub fn beat_every(&self) -> Option<Duration> {
        self.ours.map(|promise| promise / 2)
    }

    /// Silence after which the broker is gone: two intervals and a second for a busy machine.
    pub fn patience(&self) -> Option<Duration> {
        self.theirs
            .map(|promise| promise * 2 + Duration::from_secs(1))
    }
}

fn parse(value: &str) -> Option<(u64, u64)> {
    let (sends, wants) = value.split_once(',')?;
    Some((sends.trim().parse().ok()?, wants.trim().parse().ok()?))
}

fn slower(wish: Duration, offer_ms: u64) -> Option<Duration> {
    let offer = Duration::from_millis(offer_ms.min(86_400_000));
    (!wish.is_zero() && !offer.is_zero()).then(|| wish.max(offer))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISH: Duration = Duration::from_millis(5_000);

    #[test]
    fn the_slower_wish_wins() {
        let agreed = HeartBeat::agree(WISH, Some("5000,20000"));
        assert_eq!(agreed.theirs, Some(WISH));
        assert_eq!(agreed.ours, Some(Duration::from_secs(20)));
        assert_eq!(agreed.beat_every(), Some(Duration::from_secs(10)));
    }

    #[test]
    fn without_an_offer_nobody_beats_and_nobody_waits() {
        for answer in [None, Some("0,0"), Some("soon"), Some("-1,5")] {
            assert_eq!(
                HeartBeat::agree(WISH, answer),
                HeartBeat::default(),
                "{answer:?}"
            );
        }
        assert_eq!(
            HeartBeat::agree(Duration::ZERO, Some("5,5")),
            HeartBeat::default()
        );
    }
}

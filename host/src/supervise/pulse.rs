//! Whether an instance that serves still does: it is asked now and then, and answers on the thread on
//! which it does its work. Whatever blocks that thread, blocks the answer.

use patchbay_abi::{Kind, Message, Port};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The longest time between an answer and the next question.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The time to answer runs in so many parts, of which one that the host itself sleeps through counts once: whoever stops
/// the whole process, in a debugger say, shall not find all its instances given up.
const PARTS: u32 = 8;

/// What an instance was asked, and when it has to answer.
pub(super) struct Pulse {
    /// How long it may take; `None` if it is never asked.
    patience: Option<Duration>,
    asked: u64,
    state: State,
}

enum State {
    RestsUntil(Instant),
    /// When the present part ends, and how many come after it.
    Answers(Instant, u32),
}

impl Pulse {
    pub(super) fn new(patience: Option<Duration>) -> Self {
        Pulse {
            patience,
            asked: 0,
            state: State::RestsUntil(Instant::now()),
        }
    }

    /// Asks, and asks again after each answer that is noted; returns when there was none for too long.
    /// May be dropped and called anew at any time.
    pub(super) async fn lost(&mut self, port: Option<&Port>) -> Duration {
        let (Some(patience), Some(port)) = (self.patience, port) else {
            return std::future::pending().await;
        };
        loop {
            match self.state {
                State::RestsUntil(end) => {
                    sleep_until(end).await;
                    self.asked += 1;
                    self.state = State::Answers(Instant::now() + patience / PARTS, PARTS - 1);
                    port.deliver(Message::bare(Kind::PING, self.asked));
                }
                State::Answers(end, left) => {
                    sleep_until(end).await;
                    if left == 0 {
                        return patience;
                    }
                    self.state = State::Answers(Instant::now() + patience / PARTS, left - 1);
                }
            }
        }
    }

    /// From now on it may take this long.
    pub(super) fn follow(&mut self, patience: Option<Duration>) {
        if self.patience != patience {
            (self.patience, self.state) = (patience, State::RestsUntil(Instant::now()));
        }
    }

    /// It has answered.
    pub(super) fn answered(&mut self, ping: u64) {
        if let (State::Answers(..), Some(patience)) = (&self.state, self.patience)
            && ping == self.asked
        {
            let rest = (patience / 3).min(LONGEST_REST);
            self.state = State::RestsUntil(Instant::now() + rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_abi::Delivery;
    use patchbay_abi::port::Deliver;
    use std::sync::{Arc, Mutex};
    use tokio::time::timeout;

    #[derive(Default)]
    struct Asked(Mutex<Vec<u64>>);

    impl Deliver for Asked {
        fn deliver(&self, message: Message) -> Delivery {
            self.0.lock().unwrap().push(message.id);
            Delivery::Taken
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_is_open_at_a_time_and_only_its_own_answer_counts() {
        let asked = Arc::new(Asked::default());
        let port = Port::shared(asked.clone());
        let mut pulse = Pulse::new(Some(Duration::from_secs(9)));
        for round in 1..4 {
            let soon = timeout(Duration::from_secs(8), pulse.lost(Some(&port))).await;
            assert!(soon.is_err());
            assert_eq!(asked.0.lock().unwrap().len(), round);
            pulse.answered(round as u64);
        }
        let soon = timeout(Duration::from_secs(8), pulse.lost(Some(&port))).await;
        assert!(soon.is_err());
        pulse.answered(3);
        assert_eq!(pulse.lost(Some(&port)).await, Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_slept_itself_gives_nobody_up_for_it() {
        let port = Port::shared(Arc::new(Asked::default()));
        let mut pulse = Pulse::new(Some(Duration::from_secs(8)));
        assert!(
            timeout(Duration::from_millis(1), pulse.lost(Some(&port)))
                .await
                .is_err()
        );
        // Nobody looks meanwhile.
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(
            timeout(Duration::from_secs(6), pulse.lost(Some(&port)))
                .await
                .is_err()
        );
        pulse.answered(1);
        assert!(
            timeout(Duration::from_secs(8), pulse.lost(Some(&port)))
                .await
                .is_err()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_to_be_asked_is_not() {
        let asked = Arc::new(Asked::default());
        let port = Port::shared(asked.clone());
        let mut pulse = Pulse::new(None);
        let lost = timeout(Duration::from_secs(86_400), pulse.lost(Some(&port))).await;
        assert!(lost.is_err() && asked.0.lock().unwrap().is_empty());
    }
}

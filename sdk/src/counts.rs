//! What a plugin counts, told to the host a few times a second at the most: a message of its own for each
//! would be a good part of what a request costs.

use patchbay_abi::{Kind, Message, Port, head};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// At the most so often; the first after a silence is told at once.
const EVERY: Duration = Duration::from_millis(250);

/// More counters than this are not gathered, but told.
const MOST: usize = 256;

/// The counts of an instance that the host does not know yet.
pub(crate) struct Counts {
    host: Port,
    untold: Mutex<BTreeMap<String, u64>>,
    news: Notify,
}

impl Counts {
    pub(crate) fn new(host: Port) -> Self {
        Counts {
            host,
            untold: Mutex::default(),
            news: Notify::new(),
        }
    }

    pub(crate) fn add(&self, counter: &str, add: u64) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let (is_first, is_full) = (untold.is_empty(), untold.len() >= MOST);
        match untold.get_mut(counter) {
            Some(sum) => *sum = sum.saturating_add(add),
            None if is_full => {
                drop(untold);
                return self.say(counter, add);
            }
            None => _ = untold.insert(counter.to_owned(), add),
        }
        drop(untold);
        if is_first {
            self.news.notify_one();
        }
    }

    /// Tells the host what there is to tell.
    pub(crate) fn tell(&self) {
        let untold =
            std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        for (counter, sum) in untold {
            self.say(&counter, sum);
        }
    }

    /// Tells it whenever there is something, for ever.
    pub(crate) async fn keep_telling(&self) {
        loop {
            self.news.notified().await;
            self.tell();
            tokio::time::sleep(EVERY).await;
        }
    }

    fn say(&self, counter: &str, add: u64) {
        let head = head::Metric::counted(counter, add);
        self.host.deliver(Message::new(Kind::METRIC, 0, &head));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use patchbay_abi::Delivery;
    use patchbay_abi::port::Deliver;
    use std::sync::Arc;

    #[derive(Default)]
    struct Host(Mutex<Vec<(String, u64)>>);

    impl Deliver for Host {
        fn deliver(&self, message: Message) -> Delivery {
            let told: head::Metric = message.read_head().unwrap();
            self.0.lock().unwrap().push((told.counter, told.add));
            Delivery::Taken
        }
    }

    fn told(host: &Host) -> Vec<(String, u64)> {
        std::mem::take(&mut *host.0.lock().unwrap())
    }

    #[test]
    fn what_is_counted_is_told_once_and_nothing_is_lost() {
        let host = Arc::new(Host::default());
        let counts = Counts::new(Port::shared(host.clone()));
        for _ in 0..3 {
            counts.add("a", 1);
            counts.add("b", 2);
        }
        assert_eq!(told(&host), []);
        counts.tell();
        assert_eq!(told(&host), [("a".into(), 3), ("b".into(), 6)]);
        counts.tell();
        assert_eq!(told(&host), []);
    }

    #[test]
    fn however_many_counters_there_are_none_is_lost() {
        let host = Arc::new(Host::default());
        let counts = Counts::new(Port::shared(host.clone()));
        for number in 0..MOST + 10 {
            counts.add(&number.to_string(), 1);
        }
        assert_eq!(told(&host).len(), 10);
        counts.tell();
        assert_eq!(told(&host).len(), MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_told_at_once_and_further_ones_soon() {
        let host = Arc::new(Host::default());
        let counts = Arc::new(Counts::new(Port::shared(host.clone())));
        let teller = counts.clone();
        tokio::spawn(async move { teller.keep_telling().await });
        counts.add("a", 1);
        tokio::task::yield_now().await;
        assert_eq!(told(&host), [("a".into(), 1)]);
        counts.add("a", 1);
        counts.add("a", 1);
        tokio::time::sleep(EVERY * 2).await;
        assert_eq!(told(&host), [("a".into(), 2)]);
    }
}

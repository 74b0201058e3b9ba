//! What is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Different counters that there can be; names beyond that are counted together as `other`, so that
/// a plugin cannot fill the memory with names.
const MOST: usize = 1000;

/// Counters by instance and name. The host's own have the instance `host`.
#[derive(Debug, Default)]
pub struct Metrics {
    counters: Mutex<BTreeMap<(String, String), u64>>,
}

impl Metrics {
    /// Adds to a counter.
    pub fn add(&self, instance: &str, counter: &str, add: u64) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (instance.to_owned(), counter.to_owned());
        if counters.len() >= MOST && !counters.contains_key(&key) {
            key = ("host".to_owned(), "other".to_owned());
        }
        let count = counters.entry(key).or_default();
        *count = count.saturating_add(add);
    }

    /// All of them, as `instance.name=count`, in the order of their names.
    pub fn summary(&self) -> String {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = counters
            .iter()
            .map(|((instance, name), count)| format!("{instance}.{name}={count}"));
        shown.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_one_counter() {
        let metrics = Metrics::default();
        (0..MOST + 5).for_each(|n| metrics.add("i", &format!("c{n}"), 1));
        assert!(metrics.summary().contains("host.other=5"));
    }
}

//! Counters by instance and name: plugins invent them, and the host has some of its own.

use super::{Book, Counters, Gauges, PANICS};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Different counters that there can be, and as many gauges; names beyond that are counted together
/// as `other`, so that a plugin cannot fill the memory with names.
const MOST: usize = 1000;

/// A longer name is no name, in bytes.
const LONGEST: usize = 64;

/// The instance that is the host itself.
const HOST: &str = "host";

/// Events that an instance has told, or wanted to, and that went nowhere. Who reads a backend's events is told so.
pub const EVENTS_DROPPED: &str = "events_dropped";

/// What the host counts of itself, and what that means.
const OF_HOST: &[(&str, &str)] = &[
    (
        "answers_not_noted",
        "Answers to submits that were passed on although the disk did not take them in time",
    ),
    (
        "audit_lines_lost",
        "Lines of the audit log that were not written: the disk is full or slow, and the log says which",
    ),
    (
        "emergencies_gave_way",
        "Emergency stops that were sent, and whose answer is not waited for any more since their client sent too many",
    ),
    (
        "events_refused",
        "Events of backends that were no JSON, or too large",
    ),
    (
        "intents_failed",
        "Times that the state directory could not be read or written",
    ),
    (
        "logins_refused",
        "Logins that a backend, the host's own list of users, a rule or a limit has refused",
    ),
    ("messages_ignored", "Messages of plugins that make no sense"),
    (
        "private_events_dropped",
        "Events for one client that its frontend had no room for",
    ),
    (
        "replies_late_or_double",
        "Replies to requests that had been answered already",
    ),
    (
        "replies_undeliverable",
        "Replies that the frontend did not take",
    ),
    (
        "requests_interrupted",
        "Submits whose fate had to be asked of the backend",
    ),
    (
        "requests_recalled",
        "Submits that came again and were answered as before",
    ),
    (
        "requests_refused",
        "Requests that were not passed on: no session, no right, no room",
    ),
    (
        "requests_timed_out",
        "Requests that the host answered in the backend's place",
    ),
    (
        "routes_changed",
        "Times that an operator led a frontend to another backend",
    ),
    (
        "snapshot_answers",
        "Looks that were answered from what is kept, without asking the backend",
    ),
    (
        "snapshot_answers_stale",
        "Looks that were answered with what was known last, since the backend did not answer in time or is down",
    ),
    (
        "snapshot_refreshes",
        "Questions of the host itself, to have anew what is kept",
    ),
    (
        "trace_lines_dropped",
        "Lines that a `patchbay trace` did not read in time",
    ),
];

/// What every instance has, under a name of its own.
const OF_INSTANCES: &[(&str, &str, &str)] = &[
    (
        "starts",
        "patchbay_instance_starts",
        "Lives that an instance has begun; all but the first are restarts",
    ),
    (
        "failures",
        "patchbay_instance_failures",
        "Times that an instance has failed",
    ),
    (
        PANICS,
        "patchbay_instance_panics",
        "Panics in an instance's code, contained",
    ),
    (
        "quarantines",
        "patchbay_instance_quarantines",
        "Times that an instance was given up until an operator restarts it",
    ),
];

pub(super) struct Named {
    known: Mutex<Known>,
    of_plugins: Counters,
    gauges: Gauges,
    of_instances: Vec<(&'static str, Counters)>,
}

#[derive(Default)]
struct Known {
    counters: ByInstance<Counter>,
    gauges: ByInstance<Gauge>,
}

/// What is known by name, of each instance.
struct ByInstance<T> {
    of: BTreeMap<String, BTreeMap<String, T>>,
    names: usize,
}

impl<T> Default for ByInstance<T> {
    fn default() -> Self {
        ByInstance {
            of: BTreeMap::new(),
            names: 0,
        }
    }
}

impl<T: Clone> ByInstance<T> {
    fn get(&self, instance: &str, name: &str) -> Option<T> {
        self.of.get(instance)?.get(name).cloned()
    }

    fn insert(&mut self, instance: &str, name: &str, value: T) {
        self.names += 1;
        let of = self.of.entry(instance.to_owned()).or_default();
        of.insert(name.to_owned(), value);
    }
}

impl Named {
    pub(super) fn new(book: &mut Book) -> Self {
        let mut known = Known::default();
        for (name, help) in OF_HOST {
            let counter = Counter::default();
            book.of_host(name, help, counter.clone());
            known.counters.insert(HOST, name, counter);
        }
        let of_instances = OF_INSTANCES.iter().map(|(name, metric, help)| {
            let counters = Counters::default();
            book.counter(metric, &["instance"], help, counters.clone());
            (*name, counters)
        });
        let of_instances = of_instances.collect();
        let (of_plugins, gauges) = (Counters::default(), Gauges::default());
        book.counter(
            "patchbay_plugin_counter",
            &["instance", "name"],
            "What a plugin counts; its own page says what the names mean. `host` is the host, `other` what there was no room for",
            of_plugins.clone(),
        );
        book.gauge(
            "patchbay_plugin_gauge",
            &["instance", "name"],
            "How much a plugin has of something: `inbox_depth` and `events_unread` are the SDK's queues, `memory_bytes` \
             its memory where it knows that (plugins share the host's memory, so most do not)",
            gauges.clone(),
        );
        Named {
            known: Mutex::new(known),
            of_plugins,
            gauges,
            of_instances,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, instance: &str, name: &str, add: u64) {
        let mut known = self.lock();
        let known = &mut known.counters;
        let counter = known.get(instance, name).unwrap_or_else(|| {
            let (instance, name) = admitted(known.names, instance, name);
            known.get(instance, name).unwrap_or_else(|| {
                let counter = self.make(instance, name);
                known.insert(instance, name, counter.clone());
                counter
            })
        });
        counter.inc_by(add);
    }

    pub(super) fn set(&self, instance: &str, name: &str, value: i64) {
        let mut known = self.lock();
        let known = &mut known.gauges;
        let gauge = known.get(instance, name).unwrap_or_else(|| {
            let (instance, name) = admitted(known.names, instance, name);
            known.get(instance, name).unwrap_or_else(|| {
                let gauge = self.gauges.get_or_create_owned(&labels(instance, name));
                known.insert(instance, name, gauge.clone());
                gauge
            })
        });
        gauge.set(value);
    }

    fn make(&self, instance: &str, name: &str) -> Counter {
        let own = self
            .of_instances
            .iter()
            .find(|(known, _)| *known == name && instance != HOST);
        match own {
            Some((_, counters)) => {
                counters.get_or_create_owned(&vec![("instance", instance.to_owned())])
            }
            None => self.of_plugins.get_or_create_owned(&labels(instance, name)),
        }
    }

    /// All counters that are not 0, as `instance.name=count`, in the order of their names.
    pub(super) fn summary(&self) -> String {
        let known = self.lock();
        let all = known.counters.of.iter().flat_map(|(instance, names)| {
            names
                .iter()
                .map(move |(name, counter)| (instance, name, counter.get()))
        });
        let shown = all
            .filter(|(.., count)| *count > 0)
            .map(|(instance, name, count)| format!("{instance}.{name}={count}"));
        shown.collect::<Vec<_>>().join(" ")
    }
}

/// As what a name is counted that is new: as itself if there is room, and if it is one.
fn admitted<'a>(names: usize, instance: &'a str, name: &'a str) -> (&'a str, &'a str) {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = !name.is_empty() && name.len() <= LONGEST && name.chars().all(sound);
    match names < MOST && is_name {
        true => (instance, name),
        false => (HOST, "other"),
    }
}

fn labels(instance: &str, name: &str) -> super::Labels {
    vec![("instance", instance.to_owned()), ("name", name.to_owned())]
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    #[test]
    fn names_beyond_the_limit_share_one_counter() {
        let metrics = Metrics::default();
        (0..super::MOST + 5).for_each(|n| metrics.add("i", &format!("c{n}"), 1));
        let beyond = 5 + super::OF_HOST.len();
        assert!(metrics.summary().contains(&format!("host.other={beyond}")));
    }

    #[test]
    fn what_is_no_name_is_counted_all_the_same() {
        let metrics = Metrics::default();
        metrics.add("i", "a\"} 1\nforged", 1);
        metrics.set("i", &"x".repeat(65), 1);
        let text = metrics.text(|_| {}).unwrap();
        assert!(!text.contains("forged"), "{text}");
        assert!(text.contains(r#"patchbay_plugin_counter_total{instance="host",name="other"} 1"#));
    }
}

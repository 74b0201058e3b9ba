//! What is counted and measured, for whoever watches over a gateway.
//!
//! Names, units and text are Prometheus's, by the crate `prometheus-client`. Everything is registered
//! here, once, with its help and its labels; the page METRICS.md is written from that. Three kinds:
//! what is counted where it happens (`requests`, [`Metrics::add`] and its like); what is looked up
//! when somebody asks ([`Stock`], by the broker); and what the process itself is (`process`).
//!
//! Labels have few values: names of operations, instances and kinds of faults. Names that plugins
//! invent are bounded in number (`named`).

mod named;
mod page;
mod process;
mod requests;

pub use page::page;
pub use process::memory_of;
pub(crate) use requests::class_of;
pub use requests::{Outcome, Round};

pub use named::EVENTS_DROPPED;
use named::Named;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};
use requests::Requests;
use std::fmt;

/// Names and values, in the order in which they are shown.
type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;

/// What an instance's SDK counts of its panics.
const PANICS: &str = "panics";
/// What an instance's SDK measures: how long an answer waits until the task that asked takes it.
const ANSWER_TAKEN: &str = "answer_taken_seconds";

/// Everything that is counted and measured.
pub struct Metrics {
    registry: Registry,
    rows: Vec<Row>,
    named: Named,
    requests: Requests,
    events: Counters,
    event_bytes: Counters,
    gaps: Counters,
    limits: Counters,
    stock: Stock,
    process: process::Process,
}

/// What is looked up whenever somebody wants to see the metrics.
#[derive(Default)]
pub struct Stock {
    /// Clients that are logged in, by frontend.
    pub sessions: Gauges,
    /// Requests without an answer, by backend.
    pub pending: Gauges,
    /// What waits in a queue of the host, by queue.
    pub queues: Gauges,
    /// Events that are kept, by backend.
    pub journal_events: Gauges,
    /// Their bytes.
    pub journal_bytes: Gauges,
    /// Whether an instance serves and says that it is up.
    pub up: Gauges,
    /// 1 for the phase and the health that an instance has now.
    pub state: Gauges,
    /// Threads of an instance's former lives that hang and were left behind.
    pub abandoned: Gauges,
    /// Memory of the processes that instances have of their own.
    pub memory: Gauges,
    /// Log lines that nobody read in time; see [`Stock::dropped`].
    log_lines_dropped: Counter,
}

/// One metric, as the page shows it.
pub(crate) struct Row {
    name: String,
    kind: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
}

/// Registers, and notes what was registered.
pub(crate) struct Book {
    registry: Registry,
    rows: Vec<Row>,
}

impl Book {
    fn counter(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: impl Metric,
    ) {
        self.enter(format!("{name}_total"), "counter", labels, help);
        self.registry.register(name, help, metric);
    }

    /// A counter of the host without labels.
    fn of_host(&mut self, name: &str, help: &'static str, metric: Counter) {
        let name = format!("patchbay_{name}");
        self.enter(format!("{name}_total"), "counter", &[], help);
        self.registry.register(name, help, metric);
    }

    fn gauge(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: impl Metric,
    ) {
        self.enter(name.to_owned(), "gauge", labels, help);
        self.registry.register(name, help, metric);
    }

    fn histogram(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: impl Metric,
    ) {
        self.enter(name.to_owned(), "histogram", labels, help);
        self.registry.register(name, help, metric);
    }

    fn enter(
        &mut self,
        name: String,
        kind: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) {
        self.rows.push(Row {
            name,
            kind,
            labels,
            help,
        });
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut book = Book {
            registry: Registry::default(),
            rows: Vec::new(),
        };
        let requests = Requests::new(&mut book);
        let (events, event_bytes, gaps, limits) = (
            Counters::default(),
            Counters::default(),
            Counters::default(),
            Counters::default(),
        );
        book.counter(
            "patchbay_events",
            &["backend"],
            "Events that a backend has told everybody, or one client",
            events.clone(),
        );
        book.counter(
            "patchbay_event_bytes",
            &["backend"],
            "Bytes of those events",
            event_bytes.clone(),
        );
        book.counter(
            "patchbay_event_gaps",
            &["frontend"],
            "Times that a frontend read too slowly and was told that it has missed events",
            gaps.clone(),
        );
        book.counter(
            "patchbay_limits_hit",
            &["limit"],
            "Times that something was refused because of a limit; the label is the key of the configuration",
            limits.clone(),
        );
        let named = Named::new(&mut book);
        let stock = Stock::default();
        stock.enter(&mut book);
        let process = process::Process::new(&mut book);
        build_info(&mut book);
        let Book { registry, rows } = book;
        Metrics {
            registry,
            rows,
            named,
            requests,
            events,
            event_bytes,
            gaps,
            limits,
            stock,
            process,
        }
    }
}

fn build_info(book: &mut Book) {
    let info = Gauges::default();
    let labels = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("abi", patchbay_abi::manifest::ABI_VERSION.to_string()),
    ];
    info.get_or_create(&labels).set(1);
    book.gauge(
        "patchbay_build_info",
        &["version", "abi"],
        "Always 1; the labels say what runs",
        info,
    );
}

impl Metrics {
    /// Adds to a counter of an instance, or of the host itself (`host`).
    pub fn add(&self, instance: &str, counter: &str, add: u64) {
        self.named.add(instance, counter, add);
    }

    /// Notes how much there is of something that an instance counts.
    pub fn set(&self, instance: &str, gauge: &str, value: i64) {
        self.named.set(instance, gauge, value);
    }

    /// Notes what an instance's SDK has measured, in seconds. What is not known by that name is ignored.
    pub fn measured(&self, instance: &str, what: &str, seconds: &[f32]) {
        if what == ANSWER_TAKEN {
            self.requests.taken(instance, seconds);
        }
    }

    /// A request has come to its end.
    pub fn answered(&self, round: &Round<'_>) {
        self.requests.answered(round);
    }

    /// Counters of events and of their bytes, of one backend.
    pub(crate) fn events_of(&self, backend: &str) -> (Counter, Counter) {
        let labels = vec![("backend", backend.to_owned())];
        let counter = |family: &Counters| family.get_or_create_owned(&labels);
        (counter(&self.events), counter(&self.event_bytes))
    }

    /// The counter of a frontend's gaps.
    pub(crate) fn gaps_of(&self, frontend: &str) -> Counter {
        let labels = vec![("frontend", frontend.to_owned())];
        self.gaps.get_or_create_owned(&labels)
    }

    /// Something was refused because of a limit, named as in the configuration.
    pub fn limit_hit(&self, limit: &'static str) {
        let labels = vec![("limit", limit.to_owned())];
        self.limits.get_or_create(&labels).inc();
    }

    /// What is looked up: `look` notes it anew.
    pub fn text(&self, look: impl FnOnce(&Stock)) -> Result<String, fmt::Error> {
        self.stock.clear();
        look(&self.stock);
        self.process.look();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The counters with names, as `instance.name=count`, in the order of their names.
    pub fn summary(&self) -> String {
        self.named.summary()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Stock {
    fn enter(&self, book: &mut Book) {
        let entries: [(_, &[_], _, &Gauges); 9] = [
            (
                "patchbay_sessions",
                &["frontend"],
                "Clients that are logged in",
                &self.sessions,
            ),
            (
                "patchbay_requests_pending",
                &["backend"],
                "Requests that the backend has not answered yet",
                &self.pending,
            ),
            (
                "patchbay_queue_depth",
                &["queue"],
                "What waits in a queue of the host: `notes` is submits and answers to be noted on disk, `users` logins that the \
                 host's list is to decide, `audit` lines of the audit log",
                &self.queues,
            ),
            (
                "patchbay_journal_events",
                &["backend"],
                "Events that are kept for readers who fall behind",
                &self.journal_events,
            ),
            (
                "patchbay_journal_bytes",
                &["backend"],
                "What those events cost in memory",
                &self.journal_bytes,
            ),
            (
                "patchbay_instance_up",
                &["instance", "role", "plugin"],
                "1 if the instance serves and says that it is up, otherwise 0",
                &self.up,
            ),
            (
                "patchbay_instance_state",
                &["instance", "phase", "health"],
                "1 for the phase and the health that the instance has now",
                &self.state,
            ),
            (
                "patchbay_instance_threads_abandoned",
                &["instance"],
                "Threads of the instance's former lives that hang and were left behind",
                &self.abandoned,
            ),
            (
                "patchbay_instance_memory_bytes",
                &["instance"],
                "Memory of the process that the instance has of its own (`isolation`), where the system says so",
                &self.memory,
            ),
        ];
        for (name, labels, help, gauges) in entries {
            book.gauge(name, labels, help, gauges.clone());
        }
        book.counter(
            "patchbay_log_lines_dropped",
            &[],
            "Log lines that were not written because nobody read standard error",
            self.log_lines_dropped.clone(),
        );
    }

    /// Notes how many log lines were dropped since the start.
    pub fn dropped(&self, lines: usize) {
        let more = (lines as u64).saturating_sub(self.log_lines_dropped.get());
        self.log_lines_dropped.inc_by(more);
    }

    /// Whatever is not there any more is not shown any more.
    fn clear(&self) {
        let families = [
            &self.sessions,
            &self.pending,
            &self.queues,
            &self.journal_events,
            &self.journal_bytes,
            &self.up,
            &self.state,
            &self.abandoned,
            &self.memory,
        ];
        families.iter().for_each(|family| family.clear());
    }

    /// Notes one value.
    pub fn note(gauges: &Gauges, labels: &[(&'static str, &str)], value: usize) {
        let labels: Labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        gauges
            .get_or_create(&labels)
            .set(i64::try_from(value).unwrap_or(i64::MAX));
    }
}

//! The process itself, by the names that all Prometheus clients use.

use super::Book;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Default)]
pub(super) struct Process {
    memory: Gauge,
    threads: Gauge,
    files: Gauge,
}

impl Process {
    pub(super) fn new(book: &mut Book) -> Self {
        let process = Process::default();
        let entries = [
            (
                "process_resident_memory_bytes",
                "Memory of the whole process, plugins included; 0 where the system does not say",
                &process.memory,
            ),
            (
                "process_threads",
                "Threads of the process; 0 where the system does not say",
                &process.threads,
            ),
            (
                "process_open_fds",
                "Open files and sockets; 0 where the system does not say",
                &process.files,
            ),
        ];
        for (name, help, gauge) in entries {
            book.gauge(name, &[], help, gauge.clone());
        }
        process
    }

    /// Looks anew.
    pub(super) fn look(&self) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        self.memory.set(1024 * number(&status, "VmRSS:"));
        self.threads.set(number(&status, "Threads:"));
        let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        self.files.set(i64::try_from(files).unwrap_or(i64::MAX));
    }
}

/// What is resident of a process, as Linux tells it.
pub fn memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = u64::try_from(number(&status, "VmRSS:")).ok()?;
    (kib > 0).then_some(kib * 1024)
}

fn number(status: &str, key: &str) -> i64 {
    let value = status.lines().find_map(|line| line.strip_prefix(key));
    let word = value.and_then(|value| value.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

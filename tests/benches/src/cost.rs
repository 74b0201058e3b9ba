//! What a process has used up so far, as the kernel counts it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The processor time of a process: of all threads that it has now.
pub fn cpu(process: u32) -> Result<Duration> {
    let folder = format!("/proc/{process}/task");
    let threads = fs::read_dir(&folder).with_context(|| format!("reading {folder}"))?;
    let mut spent = 0;
    for thread in threads.flatten() {
        // One that ends just now takes its time with it.
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        spent += nanoseconds(&text).unwrap_or(0);
    }
    Ok(Duration::from_nanos(spent))
}

/// The resident memory of a process, in KiB.
pub fn resident_kib(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    field(&status, "VmRSS:").with_context(|| format!("{path} has no VmRSS"))
}

/// The first number of a `schedstat`: time spent running.
fn nanoseconds(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(nanoseconds("1234 56 7\n"), Some(1234));
        assert_eq!(nanoseconds(""), None);
        let status = "Name:\tpatchbay\nVmHWM:\t  999 kB\nVmRSS:\t  512 kB\n";
        assert_eq!(field(status, "VmRSS:"), Some(512.0));
        assert_eq!(field(status, "VmSwap:"), None);
    }

    #[test]
    fn a_process_that_works_uses_time_and_memory() {
        let own = std::process::id();
        let before = cpu(own).unwrap_or_default();
        // Other tests' threads that end take their time with them: the work of this one makes up for it.
        let mut works = (0..100_000).map(|_| {
            std::hint::black_box((0..100_000_u64).fold(0, u64::wrapping_add));
            cpu(own).unwrap_or_default()
        });
        assert!(works.any(|now| now > before));
        assert!(resident_kib(own).is_ok_and(|kib| kib > 100.0));
    }
}

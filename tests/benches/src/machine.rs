//! Where and when something is measured.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use patchbay_servers::workspace_dir;
use serde::Serialize;

use crate::report::RECORD;

/// Where and when something is measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// By UTC, as in `2026-11-27 18:00`.
    pub date: String,
    /// What was measured, as in `82bb645`, with a `+` behind it where files were changed since.
    pub commit: String,
    /// As the kernel calls it.
    pub processor: String,
    /// How many of them.
    pub cores: usize,
    /// Its version.
    pub kernel: String,
    /// How many processes wanted to run over the last minute, before anything was measured.
    pub load: String,
}

impl Machine {
    /// This one, now.
    pub fn now() -> Result<Self> {
        // The figures of the benchmark before may just have been recorded.
        let all_but = format!(":!{RECORD}");
        let status = [
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--",
            ".",
            &all_but,
        ];
        let changed = !output("git", &status)?.is_empty();
        let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
        let cpuinfo = read("/proc/cpuinfo")?;
        Ok(Self {
            date: output("date", &["-u", "+%Y-%m-%d %H:%M"])?,
            commit: commit + if changed { "+" } else { "" },
            processor: processor(&cpuinfo).unwrap_or("unknown").to_owned(),
            cores: cores(&cpuinfo),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load: first_word(&read("/proc/loadavg")?),
        })
    }
}

/// Lets all threads of a process, and those that they begin, run on one processor only.
pub fn pin(process: u32, processor: usize) -> Result<()> {
    place(process, &processor.to_string())
}

/// Lets them run on any processor again.
pub fn unpin(process: u32) -> Result<()> {
    // Not what this process may use itself, which may be the very one that is pinned.
    place(process, read("/sys/devices/system/cpu/online")?.trim())
}

fn place(process: u32, processors: &str) -> Result<()> {
    let process = process.to_string();
    let words = ["--all-tasks", "--pid", "--cpu-list", processors, &process];
    output("taskset", &words).map(drop)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {path}"))
}

fn first_word(text: &str) -> String {
    text.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn processor(cpuinfo: &str) -> Option<&str> {
    let mut lines = cpuinfo.lines();
    let line = lines.find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

fn cores(cpuinfo: &str) -> usize {
    let lines = cpuinfo.lines();
    lines.filter(|line| line.starts_with("processor")).count()
}

fn output(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(workspace_dir())
        .output()
        .with_context(|| format!("running `{program}`"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`{program}` failed: {}",
        complaint.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_by_the_kernel() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A B: C\nprocessor\t: 1\nmodel name\t: D\n";
        assert_eq!(processor(cpuinfo), Some("A B: C"));
        assert_eq!(cores(cpuinfo), 2);
        assert_eq!(processor("processor\t: 0\n"), None);
    }
}

//! Reading a script without running it, in a process of its own.

use std::process::{Command, Stdio};
use std::time::Duration;

use patchbay_sdk::{Fault, FaultKind};
use serde::{Deserialize, Serialize};

use crate::config::Settings;

const PROGRAM: &str = include_str!("dry_run.py");

/// No script needs more, in bytes and in seconds of computing.
const MEMORY: &str = "1073741824";
const SECONDS: &str = "10";

/// What a script would do.
#[derive(Debug, Deserialize)]
pub struct DryRun {
    /// Why it would not begin.
    #[serde(default)]
    pub mistake: Option<String>,
    /// Where that is.
    #[serde(default)]
    pub line: Option<u64>,
    /// What it calls, in the order of its text.
    #[serde(default)]
    pub calls: Vec<Call>,
    /// Calls beyond the first thousand.
    #[serde(default)]
    pub left_out: u64,
}

/// A call in a script's text.
#[derive(Debug, Serialize, Deserialize)]
pub struct Call {
    /// Where, counted from 1.
    pub line: u64,
    /// What, as Python writes it.
    pub call: String,
}

/// Reads a script.
///
/// # Errors
/// `Internal` when the process cannot be started or says nothing.
pub async fn dry_run(settings: &Settings, code: String) -> Result<DryRun, Fault> {
    let mut command = Command::new(&settings.interpreter);
    command.args(["-I", "-c", PROGRAM, MEMORY, SECONDS]);
    command.env_clear().envs(&settings.environment);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let read = tokio::task::spawn_blocking(move || read(command, &code));
    let output = tokio::time::timeout(Duration::from_secs(30), read)
        .await
        .map_err(|_| failed("it did not end"))?
        .map_err(|_| failed("its thread has ended"))?
        .map_err(|error| failed(&error.to_string()))?;
    match output.is_empty() {
        // Python itself has crashed on it.
        true => Ok(DryRun {
            mistake: Some("Python cannot read this text; it is nested too deep or too long".into()),
            line: None,
            calls: Vec::new(),
            left_out: 0,
        }),
        false => serde_json::from_slice(&output).map_err(|error| failed(&error.to_string())),
    }
}

/// The process ends by itself: its input ends, and its time and memory are limited.
fn read(mut command: Command, code: &str) -> std::io::Result<Vec<u8>> {
    use std::io::Write;
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A process that crashes early does not read all.
        let _ = input.write_all(code.as_bytes());
    }
    Ok(child.wait_with_output()?.stdout)
}

fn failed(why: &str) -> Fault {
    let text = format!("the script could not be read by another Python process: {why}");
    Fault::new(FaultKind::Internal, text)
}

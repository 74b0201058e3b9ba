//! One step of an installation: a command whose output is shown as it comes.

use std::io::{BufRead, BufReader, PipeReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::{Doing, Error, Result};
use crate::log::plain;
use crate::progress::Progress;
use crate::{process, spawner, wait};

/// After so long without a word we say that it still runs.
const QUIET: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// apt comes to an end between two packages; cut off earlier it would leave a mess.
const END_LIMIT: Duration = Duration::from_secs(60);
const QUOTED_LINES: usize = 15;

/// Runs `command`, which has a process group of its own, to its end and tells each of its lines to `progress`.
///
/// # Errors
/// With the last lines when it fails, or does not end within twenty minutes.
pub(crate) fn run(what: &str, command: Command, progress: Progress<'_>) -> Result<()> {
    run_filtered(what, command, |_| true, progress)
}

/// As [`run`]; only lines that `shown` accepts are told, though any may be quoted in an error.
pub(crate) fn run_filtered(
    what: &str,
    command: Command,
    shown: fn(&str) -> bool,
    progress: Progress<'_>,
) -> Result<()> {
    progress(&format!("{what} …"));
    let (mut child, output) = start(what, command)?;
    let mut step = Step {
        what,
        shown,
        progress,
        begun: Instant::now(),
        last: Vec::new(),
    };
    if let Err(error) = step.follow(&output) {
        process::end_group(&mut child, Signal::INT, END_LIMIT);
        return Err(error);
    }
    let status = child.wait().doing(|| format!("waiting for: {what}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(step.failed(format!("failed ({status})"))),
    }
}

/// A command under way.
struct Step<'a> {
    what: &'a str,
    shown: fn(&str) -> bool,
    progress: Progress<'a>,
    begun: Instant,
    last: Vec<String>,
}

impl Step<'_> {
    /// Passes lines on until the command closes its output.
    fn follow(&mut self, output: &Receiver<String>) -> Result<()> {
        let mut spoken = Instant::now();
        loop {
            match output.recv_timeout(Duration::from_millis(100)) {
                Ok(line) if self.tell(&line) => spoken = Instant::now(),
                Ok(_) | Err(RecvTimeoutError::Timeout) => self.check()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if spoken.elapsed() >= QUIET {
                let seconds = self.begun.elapsed().as_secs();
                (self.progress)(&format!("  … still at it after {seconds} s"));
                spoken = Instant::now();
            }
        }
    }

    /// Whether the line was one to be shown.
    fn tell(&mut self, line: &str) -> bool {
        let is_shown = (self.shown)(line);
        if is_shown {
            (self.progress)(&format!("  {line}"));
        }
        if self.last.len() == QUOTED_LINES {
            self.last.remove(0);
        }
        self.last.push(line.to_owned());
        is_shown
    }

    fn check(&self) -> Result<()> {
        wait::check_interrupt()?;
        match self.begun.elapsed() < LIMIT {
            true => Ok(()),
            false => Err(self.failed(format!(
                "did not end within {} minutes",
                LIMIT.as_secs() / 60
            ))),
        }
    }

    fn failed(&self, why: String) -> Error {
        Error::Server {
            server: self.what.to_owned(),
            why,
            log: self.last.clone(),
        }
    }
}

fn start(what: &str, mut command: Command) -> Result<(Child, Receiver<String>)> {
    let (reader, writer) = std::io::pipe().doing(|| "making a pipe".into())?;
    let copy = writer.try_clone().doing(|| "copying a pipe".into())?;
    command.stdin(Stdio::null()).stdout(copy).stderr(writer);
    let child = spawner::spawn(command).doing(|| format!("starting: {what}"))?;
    let (lines, output) = channel();
    thread::spawn(move || read(reader, &lines));
    Ok((child, output))
}

fn read(pipe: PipeReader, lines: &Sender<String>) {
    for line in BufReader::new(pipe)
        .split(b'\n')
        .map_while(|line| line.ok())
    {
        let line = plain(&String::from_utf8_lossy(&line));
        if !line.trim().is_empty() && lines.send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn shell(script: &str) -> (Result<()>, Vec<String>) {
        let told = RefCell::new(Vec::new());
        let mut command = spawner::guarded("sh");
        command.args(["-c", script]);
        let result = run("trying", command, &|line| {
            told.borrow_mut().push(line.to_owned())
        });
        (result, told.into_inner())
    }

    #[test]
    fn every_line_is_told_under_its_step() {
        let (result, told) = shell("echo one; echo two >&2");
        result.unwrap();
        assert_eq!(told, ["trying …", "  one", "  two"]);
    }

    #[test]
    fn hidden_lines_are_quoted_all_the_same() {
        let mut command = spawner::guarded("sh");
        command.args(["-c", "echo hidden; exit 1"]);
        let told = RefCell::new(0);
        let result = run_filtered("trying", command, |_| false, &|_| *told.borrow_mut() += 1);
        assert!(result.unwrap_err().to_string().ends_with("| hidden"));
        assert_eq!(told.into_inner(), 1, "only that the step begins");
    }

    #[test]
    fn a_failed_step_quotes_its_last_lines() {
        let (result, _) = shell("echo no space; exit 7");
        let text = result.unwrap_err().to_string();
        assert_eq!(
            text,
            "trying failed (exit status: 7); its last words:\n  | no space"
        );
    }
}

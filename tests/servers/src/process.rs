//! One server process: started with its log in a file, watched, and ended with us.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Doing, Error, Result};
use crate::log::Log;
use crate::{spawner, wait};

const ASK_LIMIT: Duration = Duration::from_secs(8);
const KILL_LIMIT: Duration = Duration::from_secs(5);
const QUOTED_LINES: usize = 12;

/// A running server. Dropping it ends it and everything that it started.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: Log,
}

impl Process {
    /// Starts `command` (from [`spawner::guarded`]); what it writes is appended to the file `log`.
    ///
    /// Standard input and output that the caller has set up otherwise stay as they are when `piped` is true.
    pub fn start(name: &str, mut command: Command, log: &Path, piped: bool) -> Result<Self> {
        let seen = Log::from_end(log);
        let file = append_to(log)?;
        let copy = file
            .try_clone()
            .doing(|| format!("opening {}", log.display()))?;
        command.stderr(file);
        if piped {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        } else {
            command.stdin(Stdio::null()).stdout(copy);
        }
        let child = spawner::spawn(command).doing(|| format!("starting {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: seen,
        })
    }

    /// The process id, which is also its group's.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The pipes of a process that was started `piped`, once.
    pub fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        Some((self.child.stdin.take()?, self.child.stdout.take()?))
    }

    /// How it ended, or `None` while it runs.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it has ended by itself; `None` when it still runs after `limit`.
    pub fn wait_exit(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        wait::poll(limit, || Ok(self.exit()))
    }

    /// Waits until `find` finds what it looks for in the lines that the process has logged since its start.
    pub fn wait_log<T>(
        &mut self,
        limit: Duration,
        find: impl Fn(&[String]) -> Option<T>,
    ) -> Result<T> {
        let found = wait::poll(limit, || {
            let exit = self.exit();
            match (find(&self.log.lines()?), exit) {
                (Some(found), None) => Ok(Some(found)),
                (_, Some(exit)) => Err(self.failed(format!("ended ({exit}) before it was ready"))),
                (None, None) => Ok(None),
            }
        })?;
        found.ok_or_else(|| self.failed(format!("was not ready after {} s", limit.as_secs())))
    }

    /// An error about this process that quotes its last lines.
    pub fn failed(&self, why: String) -> Error {
        Error::Server {
            server: self.name.clone(),
            why,
            log: self.log.tail(QUOTED_LINES),
        }
    }

    /// Asks it to end (SIGTERM), and ends it by force when it does not within a few seconds.
    pub fn stop(&mut self) {
        end_group(&mut self.child, Signal::TERM, ASK_LIMIT);
    }

    /// Holds it and what it started (SIGSTOP), as if its machine had frozen.
    pub fn freeze(&mut self) {
        signal(&self.child, Signal::STOP);
    }

    /// Lets it go on after [`Process::freeze`].
    pub fn thaw(&mut self) {
        signal(&self.child, Signal::CONT);
    }

    /// Ends it and what it started at once (SIGKILL to the group), and waits until it is gone.
    pub fn kill9(&mut self) {
        signal(&self.child, Signal::KILL);
        wait_gone(&mut self.child, KILL_LIMIT);
    }
}

/// Asks `child` and its group to end with `first`, and ends what is left after `limit` by force (SIGKILL).
pub(crate) fn end_group(child: &mut Child, first: Signal, limit: Duration) {
    if let Ok(None) = child.try_wait() {
        signal(child, first);
        wait_gone(child, limit);
    }
    signal(child, Signal::KILL);
    wait_gone(child, KILL_LIMIT);
}

fn signal(child: &Child, signal: Signal) {
    // An error means that no process of the group is left.
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

/// Unlike the waits of the public functions this one goes on after an interruption: it is part of cleaning up.
fn wait_gone(child: &mut Child, limit: Duration) {
    let end = Instant::now() + limit;
    while let Ok(None) = child.try_wait() {
        if Instant::now() >= end {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

fn append_to(log: &Path) -> Result<File> {
    let open = OpenOptions::new().create(true).append(true).open(log);
    open.doing(|| format!("opening {}", log.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> (tempfile::TempDir, Process) {
        let dir = tempfile::tempdir().unwrap();
        let mut command = spawner::guarded("sh");
        command.args(["-c", script]);
        let process = Process::start("the shell", command, &dir.path().join("log"), false).unwrap();
        (dir, process)
    }

    fn has_line(wanted: &str) -> impl Fn(&[String]) -> Option<()> {
        move |lines| lines.iter().any(|line| line == wanted).then_some(())
    }

    fn is_running(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.split(") ")
            .nth(1)
            .is_some_and(|rest| !rest.starts_with('Z'))
    }

    #[test]
    fn a_line_in_the_log_is_waited_for() {
        let (_dir, mut process) = start("echo up; exec sleep 60");
        process
            .wait_log(Duration::from_secs(10), has_line("up"))
            .unwrap();
        assert!(process.exit().is_none());
    }

    #[test]
    fn a_process_that_ends_too_early_is_reported_with_its_last_words() {
        let (_dir, mut process) = start("echo cannot work; exit 3");
        let error = process
            .wait_log(Duration::from_secs(10), has_line("up"))
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("the shell ended (exit status: 3) before it was ready"),
            "{text}"
        );
        assert!(text.ends_with("| cannot work"), "{text}");
    }

    #[test]
    fn a_process_that_is_never_ready_is_reported() {
        let (_dir, mut process) = start("exec sleep 60");
        let error = process
            .wait_log(Duration::ZERO, has_line("up"))
            .unwrap_err();
        assert!(error.to_string().contains("was not ready after 0 s"));
    }

    #[test]
    fn dropping_ends_the_process_and_its_own_children() {
        let (dir, mut process) = start("sleep 60 & echo $!; wait");
        let first = |lines: &[String]| lines.first().cloned();
        let grandchild = process.wait_log(Duration::from_secs(10), first).unwrap();
        let child = process.pid().to_string();
        assert!(is_running(&child) && is_running(&grandchild));
        drop(process);
        assert!(!is_running(&child));
        let gone = wait::poll(Duration::from_secs(10), || {
            Ok((!is_running(&grandchild)).then_some(()))
        });
        assert!(gone.unwrap().is_some(), "the grandchild still runs");
        drop(dir);
    }

    #[test]
    fn a_process_that_ignores_requests_is_ended_by_force() {
        let (_dir, mut process) = start("echo up; sleep 60");
        process
            .wait_log(Duration::from_secs(10), has_line("up"))
            .unwrap();
        process.kill9();
        assert!(process.exit().is_some());
    }
}

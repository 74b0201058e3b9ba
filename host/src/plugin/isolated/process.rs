//! The child, as the gateway sees it: started, ended, and how it ended.

use super::{GRACE, Room};
use crate::plugin::trust::Digest;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What a child is to run.
pub(super) struct Task<'a> {
    /// The plugin's file, open.
    pub(super) file: &'a File,
    pub(super) path: &'a Path,
    pub(super) digest: Digest,
    pub(super) instance: &'a str,
    pub(super) room: Room,
}

/// A child, until it was waited for.
pub(super) struct Process {
    pid: Pid,
    /// `None` when its end was waited for: its number may be another process's then.
    child: Mutex<Option<Child>>,
    over: Condvar,
    let_go: AtomicBool,
    /// By us, while it was there.
    killed: AtomicBool,
}

impl Process {
    /// Starts one; it speaks through the socket.
    pub(super) fn start(task: &Task<'_>) -> io::Result<(Arc<Process>, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(program()?);
        command
            .arg0("patchbay")
            .args(["plugin-host", "--instance", task.instance])
            .args(["--digest", &task.digest.to_string()])
            .args(["--body-bytes", &task.room.body_bytes.to_string()])
            .arg("--")
            .arg(task.path)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(task.file.try_clone()?))
            // Ctrl-C on a terminal is for the gateway, which ends its instances in order. And what a plugin
            // starts in its group can be ended with it.
            .process_group(0);
        let child = command.spawn()?;
        let process = Process {
            pid: Pid::from_child(&child),
            child: Mutex::new(Some(child)),
            over: Condvar::new(),
            let_go: AtomicBool::new(false),
            killed: AtomicBool::new(false),
        };
        Ok((Arc::new(process), ours))
    }

    /// Its number.
    pub(super) fn number(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Nobody wants it any more: from now on its end is no failure.
    pub(super) fn let_go(self: &Arc<Self>) {
        self.let_go.store(true, Ordering::Release);
        self.end_within(GRACE);
    }

    /// Whether it was let go of.
    pub(super) fn is_let_go(&self) -> bool {
        self.let_go.load(Ordering::Acquire)
    }

    /// Kills it if it has not ended by then. Returns at once.
    pub(super) fn end_within(self: &Arc<Self>, grace: Duration) {
        let process = self.clone();
        let thread = std::thread::Builder::new().name("child-end".to_owned());
        let watch = move || {
            let child = process.lock();
            let lives = |child: &mut Option<Child>| child.is_some();
            let waited = process.over.wait_timeout_while(child, grace, lives);
            let (child, _) = waited.unwrap_or_else(PoisonError::into_inner);
            process.kill_child(&child);
        };
        if thread.spawn(watch).is_err() {
            self.kill();
        }
    }

    /// Kills it, and what it has started.
    pub(super) fn kill(&self) {
        self.kill_child(&self.lock());
    }

    fn kill_child(&self, child: &Option<Child>) {
        self.killed.fetch_or(child.is_some(), Ordering::AcqRel);
        self.kill_group(child);
    }

    fn kill_group(&self, child: &Option<Child>) {
        if child.is_some() {
            // It may have ended.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// Waits for its end, and ends what it has started. How it ended, in words.
    pub(super) fn wait(&self) -> String {
        // It is not waited for wholly, so that its number, which is that of its group, stays its own.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(self.pid), options) {}
        let mut child = self.lock();
        self.kill_group(&child);
        let status = child.take().map(|mut child| child.wait());
        self.over.notify_all();
        match status {
            Some(Ok(status)) => in_words(status, self.killed.load(Ordering::Acquire)),
            _ => "its process has ended".to_owned(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_words(status: ExitStatus, killed: bool) -> String {
    let Some(signal) = status.signal() else {
        let code = status.code().unwrap_or_default();
        return format!("its process has exited by itself, with status {code}");
    };
    let name = signal_hook::low_level::signal_name(signal).unwrap_or("unknown");
    let why = match name {
        "SIGKILL" if killed => "; by this gateway",
        "SIGKILL" => "; the system does so when memory runs out",
        _ => "",
    };
    format!("its process was ended by signal {signal} ({name}{why})")
}

/// What runs the children, where this process is not `patchbay` itself.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// From now on this program, which must be the `patchbay` of this very version, runs the children. For whoever uses this
/// library in a program of their own. What was said first holds.
pub fn run_by(program: PathBuf) {
    PROGRAM.get_or_init(|| program);
}

/// This program, also when another version has taken its file's place.
fn program() -> io::Result<PathBuf> {
    if let Some(program) = PROGRAM.get() {
        return Ok(program.clone());
    }
    let running = Path::new("/proc/self/exe");
    let named = std::env::current_exe()?;
    let same = |one: &Path, other: &Path| {
        let (one, other) = (one.metadata().ok()?, other.metadata().ok()?);
        Some((one.dev(), one.ino()) == (other.dev(), other.ino()))
    };
    // The name is what `ps` shows.
    match same(&named, running) {
        Some(false) => Ok(running.to_owned()),
        None if running.exists() => Ok(running.to_owned()),
        _ => Ok(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_gateway_has_killed_is_not_said_to_have_run_out_of_memory() {
        let killed = ExitStatus::from_raw(9);
        assert!(in_words(killed, false).contains("memory"));
        let by_us = in_words(killed, true);
        assert!(by_us.contains("SIGKILL; by this gateway") && !by_us.contains("memory"));
        assert!(in_words(ExitStatus::from_raw(3 << 8), true).contains("status 3"));
    }
}

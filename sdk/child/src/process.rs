//! A process, and its end. Process groups, signals and the ways in which a process ends depend on Unix, and stand here
//! only; `life`, `hearing` and `complaints` depend on it by the pipes that they read and write.

use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use tokio::sync::oneshot;

/// A process that was started, and has perhaps ended meanwhile.
pub struct Process {
    pid: Pid,
    /// Whether its number is still its own.
    is_there: Mutex<bool>,
}

/// How hard a process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hard {
    /// Its children and itself, by a signal that they can catch.
    Terminate,
    /// At once.
    Kill,
}

impl Process {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Signals it; nothing if it has ended.
    pub fn end(&self, how: Hard) {
        let is_there = self.is_there.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_there {
            // A process that has ended a moment ago is as good as one that was signalled.
            let _ = match how {
                Hard::Terminate => kill_process_group(self.pid, Signal::TERM),
                Hard::Kill => self.kill(),
            };
        }
    }

    /// Its children too, and itself also if it has left its group.
    fn kill(&self) -> rustix::io::Result<()> {
        let group = kill_process_group(self.pid, Signal::KILL);
        group.or(kill_process(self.pid, Signal::KILL))
    }

    /// Waits for its end; then its children end as well, while the group's number cannot be anybody else's.
    fn attend(&self, child: &mut Child) -> std::io::Result<ExitStatus> {
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(self.pid), ended) {}
        let mut is_there = self.is_there.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = kill_process_group(self.pid, Signal::KILL);
        *is_there = false;
        child.wait()
    }
}

/// A process that was started: what it is spoken to by and what it says.
pub struct Started {
    /// Itself.
    pub process: Arc<Process>,
    /// The way to its standard input, if that is a pipe.
    pub input: Option<OwnedFd>,
    /// What comes from its standard output.
    pub out: OwnedFd,
    /// What comes from its standard error.
    pub error: OwnedFd,
    /// How it has ended.
    pub end: oneshot::Receiver<String>,
}

/// Starts a process, on a thread of its own that stays with it until it has ended: `command` is asked there for what to
/// run, and `failed` what to say if it cannot be run. Its standard input is as `command` says; its outputs are pipes.
///
/// # Errors
/// A sentence for people.
pub async fn start(
    thread: &str,
    command: impl FnOnce() -> Result<Command, String> + Send + 'static,
    failed: impl FnOnce(std::io::Error) -> String + Send + 'static,
) -> Result<Started, String> {
    let (started, starts) = oneshot::channel();
    let (ended, end) = oneshot::channel();
    let live = move || {
        let spawned = command().and_then(|command| spawn(command, failed));
        let (mut child, ends) = match spawned {
            Ok(spawned) => spawned,
            Err(why) => return drop(started.send(Err(why))),
        };
        let process = ends.process.clone();
        if started.send(Ok(ends)).is_err() {
            process.end(Hard::Kill);
        }
        let how = process.attend(&mut child).map_or_else(
            |error| format!("it has ended, and nobody knows how: {error}"),
            described,
        );
        let _ = ended.send(how);
    };
    std::thread::Builder::new()
        .name(thread.to_owned())
        .spawn(live)
        .map_err(|error| format!("no thread for another process: {error}"))?;
    let none = || Err("the thread that starts processes has ended".to_owned());
    let ends = starts.await.unwrap_or_else(|_| none())?;
    Ok(Started {
        process: ends.process,
        input: ends.input,
        out: ends.out,
        error: ends.error,
        end,
    })
}

struct Ends {
    process: Arc<Process>,
    input: Option<OwnedFd>,
    out: OwnedFd,
    error: OwnedFd,
}

fn spawn(
    mut command: Command,
    failed: impl FnOnce(std::io::Error) -> String,
) -> Result<(Child, Ends), String> {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().map_err(failed)?;
    let process = Process {
        pid: Pid::from_child(&child),
        is_there: Mutex::new(true),
    };
    let missing = || "a process without outputs".to_owned();
    let ends = Ends {
        process: Arc::new(process),
        input: child.stdin.take().map(OwnedFd::from),
        out: child.stdout.take().ok_or_else(missing)?.into(),
        error: child.stderr.take().ok_or_else(missing)?.into(),
    };
    Ok((child, ends))
}

fn described(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it has ended by itself with status {code}"),
        (None, Some(9)) => {
            "it was killed (signal 9: by hand, or because the machine was out of memory)".to_owned()
        }
        (None, Some(11)) => {
            "it has crashed (signal 11: a fault in a library, or endless recursion)".to_owned()
        }
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it has ended".to_owned(),
    }
}

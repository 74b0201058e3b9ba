//! The process itself, and its end. All that depends on Unix stands here.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::config::Settings;

/// Written into the instance's folder at each start.
const PROGRAM: &str = include_str!("worker.py");

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

/// The ends of a process that was started.
pub(super) struct Started {
    pub(super) process: Arc<Process>,
    pub(super) link: UnixStream,
    pub(super) out: OwnedFd,
    pub(super) error: OwnedFd,
    /// How it has ended.
    pub(super) end: oneshot::Receiver<String>,
}

/// Starts a worker, on a thread of its own that stays with it until it has ended.
pub(super) async fn start(settings: &Settings) -> Result<Started, String> {
    let settings = settings.clone();
    let (started, starts) = oneshot::channel();
    let (ended, end) = oneshot::channel();
    let live = move || {
        let (mut child, process, ends) = match spawn(&settings) {
            Ok(spawned) => spawned,
            Err(why) => return drop(started.send(Err(why))),
        };
        if started.send(Ok((process.clone(), ends))).is_err() {
            process.end(Hard::Kill);
        }
        let how = process.attend(&mut child).map_or_else(
            |error| format!("it has ended, and nobody knows how: {error}"),
            described,
        );
        let _ = ended.send(how);
    };
    let thread = std::thread::Builder::new().name("python-worker".into());
    thread
        .spawn(live)
        .map_err(|error| format!("no thread for the Python process: {error}"))?;
    let none = || Err("the thread of the Python process has ended".to_owned());
    let (process, ends) = starts.await.unwrap_or_else(|_| none())?;
    Ok(Started {
        process,
        link: ends.link,
        out: ends.out.into(),
        error: ends.error.into(),
        end,
    })
}

struct Ends {
    link: UnixStream,
    out: ChildStdout,
    error: ChildStderr,
}

fn spawn(settings: &Settings) -> Result<(Child, Arc<Process>, Ends), String> {
    let interpreter = &settings.interpreter;
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!(
            "there is no program `{}`; install Python 3.9 or newer, or set `interpreter` to where it is",
            interpreter.display()
        ),
        _ => format!("cannot start `{}`: {error}", interpreter.display()),
    };
    let program = settings.folder.join("worker.py");
    write(&program).map_err(|error| format!("cannot write {}: {error}", program.display()))?;
    let (link, theirs) = UnixStream::pair().map_err(failed)?;
    let mut command = Command::new(interpreter);
    command.args(["-I", "-u"]).arg(&program);
    command.arg(limits(settings));
    command.env_clear().envs(&settings.environment);
    command
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().map_err(failed)?;
    let pid = Pid::from_child(&child);
    let process = Arc::new(Process {
        pid,
        is_there: Mutex::new(true),
    });
    let missing = || "a process without outputs".to_owned();
    let out = child.stdout.take().ok_or_else(missing)?;
    let error = child.stderr.take().ok_or_else(missing)?;
    Ok((child, process, Ends { link, out, error }))
}

/// Whole or not at all; and not where it is there already, since the disk may be full.
fn write(program: &Path) -> std::io::Result<()> {
    if std::fs::read(program).is_ok_and(|there| there == PROGRAM.as_bytes()) {
        return Ok(());
    }
    let new = program.with_extension("new");
    std::fs::write(&new, PROGRAM)?;
    std::fs::rename(new, program)
}

fn limits(settings: &Settings) -> String {
    json!({
        "line_bytes": settings.line_bytes,
        "output_bytes": settings.output_bytes,
        "value_bytes": settings.value_bytes,
        "memory_bytes": settings.memory_bytes,
        "asides": settings.eval_most,
        "work_folder": settings.work_folder,
        "module_path": settings.module_path,
        "lock": settings.folder.join("worker.lock"),
    })
    .to_string()
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

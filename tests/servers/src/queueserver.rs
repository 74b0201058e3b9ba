//! A real RE Manager (bluesky-queueserver) with a small simulated laboratory, and the Redis that keeps its queue.

mod install;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Doing, Error, Result};
use crate::instance_dir::InstanceDir;
use crate::process::Process;
use crate::progress::Progress;
use crate::{port, spawner};

use install::Installation;
pub(crate) use install::missing_packages;

const READY_LIMIT: Duration = Duration::from_secs(90);
const READY: &str = "ZeroMQ server is waiting on";
const REDIS_READY: &str = "Ready to accept connections";
const PORT_TAKEN: &str = "Address already in use";
const TRIES: usize = 5;
const NEWEST: &str = "0.0.25";
/// As long as this file is there, the environment cannot be opened.
const BROKEN: &str = "broken";

/// What the laboratory is made of: name and text.
const STARTUP: [(&str, &str); 2] = [
    (
        "00-lab.py",
        include_str!("../queueserver/startup/00-lab.py"),
    ),
    (
        "user_group_permissions.yaml",
        include_str!("../queueserver/startup/user_group_permissions.yaml"),
    ),
];

/// How an RE Manager is to be started.
#[derive(Debug, Clone, Copy)]
pub struct QueueServerOptions {
    version: &'static str,
    console: bool,
}

impl QueueServerOptions {
    /// Another release than the newest: `0.0.22`.
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// With `false` it does not publish what is printed.
    pub fn console(mut self, console: bool) -> Self {
        self.console = console;
        self
    }

    /// Installs what is missing and starts an RE Manager and its Redis on free ports, with an empty queue.
    ///
    /// # Errors
    /// When it cannot be installed, or is not ready within 90 s (with the last lines of its log).
    pub fn start(self, progress: Progress<'_>) -> Result<QueueServer> {
        let installation = install::install(progress)?;
        let mut failed = Vec::new();
        for _ in 0..TRIES {
            match QueueServer::start_on_new_ports(&installation, self) {
                Err(Error::Server { log, .. })
                    if log.iter().any(|line| line.contains(PORT_TAKEN)) =>
                {
                    failed = log;
                }
                other => return other,
            }
        }
        Err(Error::Server {
            server: "the RE Manager".into(),
            why: format!("found its ports taken, {TRIES} times"),
            log: failed,
        })
    }
}

/// A running RE Manager on 127.0.0.1, its environment closed. Plans: `count`, `scan`, `dwell(seconds)`,
/// `fall_over(why)`, `say(text)`; devices: `det`, `noisy_det`, `motor`.
///
/// It ends, with its Redis and all its files, when it is dropped.
#[derive(Debug)]
pub struct QueueServer {
    // Declared, and so dropped, before what they use.
    manager: Process,
    redis: Process,
    place: Place,
}

/// Where an instance lives; the same over restarts.
#[derive(Debug)]
struct Place {
    installation: Installation,
    options: QueueServerOptions,
    dir: InstanceDir,
    control: u16,
    info: u16,
    redis: u16,
}

impl QueueServer {
    /// Installs what is missing, which takes about a minute the first time.
    ///
    /// # Errors
    /// With the failed step's last lines, or the command that an ordinary user has to run first.
    pub fn install(progress: Progress<'_>) -> Result<()> {
        install::install(progress).map(|_| ())
    }

    /// To start another one than the plain one.
    pub fn options() -> QueueServerOptions {
        QueueServerOptions {
            version: NEWEST,
            console: true,
        }
    }

    /// Starts the newest tested release.
    ///
    /// # Errors
    /// As [`QueueServerOptions::start`].
    pub fn start(progress: Progress<'_>) -> Result<Self> {
        Self::options().start(progress)
    }

    /// Where it takes requests.
    pub fn control(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.place.control).into()
    }

    /// Where it publishes what is printed, and its state.
    pub fn info(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.place.info).into()
    }

    /// What it prints.
    pub fn log_path(&self) -> &Path {
        self.manager.log().path()
    }

    /// The last `count` lines that it printed since its latest start.
    pub fn log_tail(&self, count: usize) -> Vec<String> {
        self.manager.log().tail(count)
    }

    /// The process that watches over the others.
    pub fn pid(&self) -> u32 {
        self.manager.pid()
    }

    /// How the RE Manager's first process ended, or `None` while it runs.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        self.manager.exit()
    }

    /// The process that takes requests; its watchdog starts another when it is gone.
    pub fn manager_pid(&self) -> Option<u32> {
        children(self.manager.pid()).first().copied()
    }

    /// The process in which plans run, while there is an environment.
    pub fn worker_pid(&self) -> Option<u32> {
        children(self.manager.pid()).get(1).copied()
    }

    /// Ends a process at once, as a crash would.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn kill_process(pid: u32) -> Result<()> {
        signal(pid, Signal::KILL)
    }

    /// Holds a process, as if it were slow.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn freeze_process(pid: u32) -> Result<()> {
        signal(pid, Signal::STOP)
    }

    /// Lets it go on after [`QueueServer::freeze_process`].
    ///
    /// # Errors
    /// When there is no such process.
    pub fn thaw_process(pid: u32) -> Result<()> {
        signal(pid, Signal::CONT)
    }

    /// Ends it and all that it started at once; [`QueueServer::restart`] starts it again.
    pub fn kill9(&mut self) {
        self.manager.kill9();
    }

    /// Holds it, as if its machine had frozen.
    pub fn freeze(&mut self) {
        self.manager.freeze();
    }

    /// Lets it go on after [`QueueServer::freeze`].
    pub fn thaw(&mut self) {
        self.manager.thaw();
    }

    /// Starts it again on the same ports, after stopping it if it still runs.
    ///
    /// # Errors
    /// When it is not ready within 90 s.
    pub fn restart(&mut self) -> Result<()> {
        self.manager.stop();
        self.manager = self.place.start_manager()?;
        Ok(())
    }

    /// Ends Redis at once.
    pub fn kill_redis(&mut self) {
        self.redis.kill9();
    }

    /// Starts Redis again, with what it had noted on disk.
    ///
    /// # Errors
    /// When it is not ready within 90 s.
    pub fn restart_redis(&mut self) -> Result<()> {
        self.redis.stop();
        self.redis = self.place.start_redis()?;
        Ok(())
    }

    /// Lets the environment fail to open, or not.
    ///
    /// # Errors
    /// When the file that says so cannot be made or removed.
    pub fn set_broken(&self, broken: bool) -> Result<()> {
        let file = self.place.dir.path().join(BROKEN);
        match broken {
            true => fs::write(&file, ""),
            false => fs::remove_file(&file),
        }
        .doing(|| format!("writing {}", file.display()))
    }

    fn start_on_new_ports(
        installation: &Installation,
        options: QueueServerOptions,
    ) -> Result<Self> {
        let [control, info, redis] = port::free_set()?;
        let dir = InstanceDir::new("queueserver")?;
        let startup = dir.path().join("startup");
        fs::create_dir_all(&startup).doing(|| format!("creating {}", startup.display()))?;
        for (name, text) in STARTUP {
            let file = startup.join(name);
            fs::write(&file, text).doing(|| format!("writing {}", file.display()))?;
        }
        let place = Place {
            installation: installation.clone(),
            options,
            dir,
            control,
            info,
            redis,
        };
        let redis = place.start_redis()?;
        Ok(Self {
            manager: place.start_manager()?,
            redis,
            place,
        })
    }
}

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start_redis(&self) -> Result<Process> {
        let mut command = spawner::guarded("redis-server");
        command.current_dir(self.dir.path());
        let port = self.redis.to_string();
        command.args(["--bind", "127.0.0.1", "--port", &port, "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        let mut redis = Process::start("Redis", command, &self.path("redis.out"), false)?;
        wait_ready(&mut redis, REDIS_READY)?;
        Ok(redis)
    }

    fn start_manager(&self) -> Result<Process> {
        let release = self.installation.release(self.options.version);
        let mut command = spawner::guarded(self.installation.python());
        command.arg("-u").arg(release.join("bin/start-re-manager"));
        command.arg("--startup-dir").arg(self.path("startup"));
        command.args(["--redis-addr", &format!("127.0.0.1:{}", self.redis)]);
        let console = if self.options.console { "ON" } else { "OFF" };
        command.args(["--zmq-publish-console", console]);
        command
            .arg("--existing-plans-devices")
            .arg(self.path("existing.yaml"));
        let control = format!("tcp://127.0.0.1:{}", self.control);
        let info = format!("tcp://127.0.0.1:{}", self.info);
        command.env("QSERVER_ZMQ_CONTROL_ADDRESS_FOR_SERVER", control);
        command.env("QSERVER_ZMQ_INFO_ADDRESS_FOR_SERVER", &info);
        // Its name before 0.0.24.
        command.env("QSERVER_ZMQ_PUBLISH_CONSOLE_ADDRESS_FOR_SERVER", info);
        command.env("PATCHBAY_LAB_BROKEN", self.path(BROKEN));
        command
            .env("PYTHONPATH", release)
            .current_dir(self.dir.path());
        // numpy's threads would only compete with the tests for the cores.
        command.env("OPENBLAS_NUM_THREADS", "1");
        let log = self.path("manager.out");
        let mut manager = Process::start("the RE Manager", command, &log, false)?;
        wait_ready(&mut manager, READY)?;
        Ok(manager)
    }
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let target = target.ok_or_else(|| Error::Install(format!("{pid} is no process id")))?;
    kill_process(target, signal)
        .map_err(std::io::Error::from)
        .doing(|| format!("sending {signal:?} to process {pid}"))
}

fn wait_ready(process: &mut Process, ready: &str) -> Result<()> {
    process.wait_log(READY_LIMIT, |lines| {
        lines.iter().any(|line| line.contains(ready)).then_some(())
    })
}

/// A process's children, in the order in which they were started.
fn children(parent: u32) -> Vec<u32> {
    // A thread of it may have started them.
    let all = fs::read_dir(format!("/proc/{parent}/task")).into_iter();
    let threads = all.flatten().flatten().map(|task| task.path());
    let lists = threads.map(|task| fs::read_to_string(task.join("children")).unwrap_or_default());
    let mut found: Vec<u32> = lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect();
    found.sort_by_key(|pid| started(*pid));
    found
}

/// When a process was started, in ticks since the machine was; field 22 of its `stat`.
fn started(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after_name.split(' ').nth(19);
    ticks.and_then(|ticks| ticks.parse().ok()).unwrap_or(0)
}

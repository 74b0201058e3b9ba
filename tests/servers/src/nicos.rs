//! A real NICOS daemon with a virtual instrument.

mod install;
mod instance;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::instance_dir::InstanceDir;
use crate::process::Process;
use crate::progress::Progress;
use crate::{port, spawner};

use install::Installation;
pub(crate) use install::missing_packages;

const READY_LIMIT: Duration = Duration::from_secs(90);
/// The last words of a start: devices exist, scripts can run.
const READY: &str = "setups loaded: startup";
const CACHE_READY: &str = "TCP bound to";
const PORT_TAKEN: &str = "Address already in use";
const TRIES: usize = 5;

/// How a daemon is to be started.
#[derive(Debug, Clone, Copy, Default)]
pub struct NicosOptions {
    cache: bool,
}

impl NicosOptions {
    /// Also runs NICOS's value cache, which value history and dry runs (`simulate`) need.
    pub fn cache(mut self, cache: bool) -> Self {
        self.cache = cache;
        self
    }

    /// Installs NICOS if needed and starts a daemon on a free port, with fresh data.
    ///
    /// # Errors
    /// When it cannot be installed, or is not ready within 90 s (with the last lines of its log).
    pub fn start(self, progress: Progress<'_>) -> Result<Nicos> {
        let installation = install::install(progress)?;
        let mut failed = None;
        for _ in 0..TRIES {
            match Nicos::start_on_new_ports(&installation, self) {
                Err(Error::Server { log, .. }) if mentions_taken_port(&log) => failed = Some(log),
                other => return other,
            }
        }
        let why = format!("found its port taken, {TRIES} times");
        Err(Error::Server {
            server: "NICOS".into(),
            why,
            log: failed.unwrap_or_default(),
        })
    }
}

/// A running NICOS daemon on 127.0.0.1. Logins: `guest` (any password), `user`/`user`, `admin`/`admin`. Devices: motors
/// `mot` (instant) and `slow` (1 mm/s), axis `axis`, detector `det`.
///
/// It ends, with all its files, when it is dropped.
#[derive(Debug)]
pub struct Nicos {
    // Declared, and so dropped, before what they use.
    daemon: Process,
    cache: Option<Process>,
    place: Place,
}

/// Where an instance lives; the same over restarts.
#[derive(Debug)]
struct Place {
    installation: Installation,
    dir: InstanceDir,
    port: u16,
    cache_port: Option<u16>,
}

impl Nicos {
    /// Installs what is missing, which takes about half a minute the first time.
    ///
    /// # Errors
    /// With the failed step's last lines, or the command that an ordinary user has to run first.
    pub fn install(progress: Progress<'_>) -> Result<()> {
        install::install(progress).map(|_| ())
    }

    /// The interpreter that NICOS is installed for, with NICOS's modules to import, to run a program of one's own. It ends
    /// with the process that starts it.
    ///
    /// # Errors
    /// As [`Nicos::install`].
    pub fn python(progress: Progress<'_>) -> Result<Command> {
        let installation = install::install(progress)?;
        let mut command = spawner::guarded(installation.python());
        command
            .env("PYTHONPATH", installation.source())
            // NICOS's modules look for an instrument's package and its configuration, which may be missing.
            .env("INSTRUMENT", "nicos.none")
            .env("OPENBLAS_NUM_THREADS", "1");
        Ok(command)
    }

    /// To start a daemon other than the plain one.
    pub fn options() -> NicosOptions {
        NicosOptions::default()
    }

    /// As [`NicosOptions::start`], without a cache.
    ///
    /// # Errors
    /// As [`NicosOptions::start`].
    pub fn start(progress: Progress<'_>) -> Result<Self> {
        Self::options().start(progress)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.place.port).into()
    }

    /// The daemon's process id.
    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    /// How the daemon's process ended, or `None` while it runs.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        self.daemon.exit()
    }

    /// Whether the daemon's process runs.
    pub fn is_alive(&mut self) -> bool {
        self.daemon.exit().is_none()
    }

    /// Waits for the daemon to end by itself; `None` when it still runs after `limit`.
    ///
    /// # Errors
    /// When interrupted.
    pub fn wait_exit(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        self.daemon.wait_exit(limit)
    }

    /// Ends the daemon orderly; its files stay for [`Nicos::restart`].
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    /// Ends the daemon at once, as a crash would.
    pub fn kill9(&mut self) {
        self.daemon.kill9();
    }

    /// Starts it again on the same port with the same files, after stopping it if it still runs.
    ///
    /// # Errors
    /// When it is not ready within 90 s.
    pub fn restart(&mut self) -> Result<()> {
        self.daemon.stop();
        self.daemon = self.place.start_daemon()?;
        Ok(())
    }

    /// What the daemon prints.
    pub fn log_path(&self) -> &Path {
        self.daemon.log().path()
    }

    /// The last `count` lines that it printed since its latest start.
    pub fn log_tail(&self, count: usize) -> Vec<String> {
        self.daemon.log().tail(count)
    }

    fn start_on_new_ports(installation: &Installation, options: NicosOptions) -> Result<Self> {
        let [port, cache_port] = port::free_set()?;
        let dir = InstanceDir::new("nicos")?;
        instance::write(dir.path())?;
        let cache_port = options.cache.then_some(cache_port);
        let place = Place {
            installation: installation.clone(),
            dir,
            port,
            cache_port,
        };
        let cache = options.cache.then(|| place.start_cache()).transpose()?;
        Ok(Self {
            daemon: place.start_daemon()?,
            cache,
            place,
        })
    }

    /// The value cache's process id, if one was asked for.
    pub fn cache_pid(&self) -> Option<u32> {
        self.cache.as_ref().map(Process::pid)
    }
}

impl Place {
    /// Readiness is read in the log: a connection that says nothing blocks the daemon's logins, and one that is reset
    /// ends them for good.
    fn start_daemon(&self) -> Result<Process> {
        self.run("NICOS", "nicos-daemon", "daemon.out", READY)
    }

    fn start_cache(&self) -> Result<Process> {
        self.run("NICOS's cache", "nicos-cache", "cache.out", CACHE_READY)
    }

    fn run(&self, name: &str, program: &str, log: &str, ready: &str) -> Result<Process> {
        let log = self.dir.path().join(log);
        let mut process = Process::start(name, self.command(program), &log, false)?;
        process.wait_log(READY_LIMIT, |lines| {
            lines.iter().any(|line| line.contains(ready)).then_some(())
        })?;
        Ok(process)
    }

    fn command(&self, program: &str) -> Command {
        let dir = self.dir.path();
        let mut command = spawner::guarded(self.installation.python());
        command
            .arg("-u")
            .arg(self.installation.program(program))
            .current_dir(dir);
        command
            .env("INSTRUMENT", instance::INSTRUMENT)
            .env("PYTHONPATH", dir);
        command.env("PATCHBAY_NICOS_DIR", dir);
        command.env("PATCHBAY_NICOS_PORT", self.port.to_string());
        if let Some(port) = self.cache_port {
            command.env("PATCHBAY_NICOS_CACHE", format!("127.0.0.1:{port}"));
        }
        // numpy's threads would only compete with the tests for the cores.
        command.env("OPENBLAS_NUM_THREADS", "1");
        command
    }
}

fn mentions_taken_port(log: &[String]) -> bool {
    log.iter().any(|line| line.contains(PORT_TAKEN))
}

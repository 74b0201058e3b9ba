//! A real Apache ActiveMQ broker with an OpenWire and a STOMP port.

mod config;
mod install;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::instance_dir::InstanceDir;
use crate::process::Process;
use crate::progress::Progress;
use crate::{port, spawner};

use config::Config;
pub(crate) use install::{client_class_path, install, missing_packages};
use tls::Tls;

const READY_LIMIT: Duration = Duration::from_secs(90);
const PORT_TAKEN: &str = "Address already in use";
const TRIES: usize = 5;
/// Small and quick to start.
const JVM: [&str; 5] = [
    "-Xms32m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:TieredStopAtLevel=1",
];
const PROPERTIES: [&str; 8] = [
    "java.awt.headless=true",
    "java.net.preferIPv4Stack=true",
    "org.slf4j.simpleLogger.logFile=System.out",
    "org.slf4j.simpleLogger.showDateTime=true",
    "org.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "org.slf4j.simpleLogger.defaultLogLevel=info",
    "org.slf4j.simpleLogger.log.org.springframework=warn",
    "org.slf4j.simpleLogger.log.org.apache.xbean=warn",
];

/// How a broker is to be started.
#[derive(Debug, Clone, Default)]
pub struct ActiveMqOptions {
    users: bool,
    persistent: bool,
    no_advisories: bool,
    temporary_queue_bytes: Option<u64>,
    tls: Option<Tls>,
}

impl ActiveMqOptions {
    /// Asks clients for a login: `ibex`/`ibex` may do everything, `other`/`other` only connect and use temporary
    /// queues. Without it everybody may do everything.
    pub fn users(mut self, users: bool) -> Self {
        self.users = users;
        self
    }

    /// Keeps persistent messages on disk, so that they survive [`ActiveMq::restart`], also after a crash.
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// Lets each temporary queue hold no more than this; whoever sends more to one has to wait.
    pub fn temporary_queue_bytes(mut self, bytes: u64) -> Self {
        self.temporary_queue_bytes = Some(bytes);
        self
    }

    /// Makes the STOMP port one of TLS, with [`ActiveMq::certificate`]. With `client`, the path of a certificate in PEM,
    /// it lets only in who has that one.
    pub fn tls(mut self, client: Option<&Path>) -> Self {
        let client = client.map(Path::to_owned);
        self.tls = Some(Tls { client });
        self
    }

    /// With `false` advisories do not reach STOMP clients, as with Debian's own start script: what they need is left out of
    /// the class path.
    pub fn advisories(mut self, advisories: bool) -> Self {
        self.no_advisories = !advisories;
        self
    }

    /// Installs ActiveMQ if needed and starts a broker on free ports, with fresh data.
    ///
    /// # Errors
    /// When it cannot be installed, or is not ready within 90 s (with the last lines of its log).
    pub fn start(self, progress: Progress<'_>) -> Result<ActiveMq> {
        install(progress)?;
        let mut log = Vec::new();
        for _ in 0..TRIES {
            match ActiveMq::start_on_new_ports(self.clone()) {
                Err(Error::Server { log: lines, .. }) if mentions_taken_port(&lines) => log = lines,
                other => return other,
            }
        }
        let why = format!("found its ports taken, {TRIES} times");
        Err(Error::Server {
            server: "ActiveMQ".into(),
            why,
            log,
        })
    }
}

/// A running broker on 127.0.0.1. It ends, with its data, when it is dropped.
#[derive(Debug)]
pub struct ActiveMq {
    // Declared, and so dropped, before what it uses.
    broker: Process,
    place: Place,
}

/// Where an instance lives; the same over restarts.
#[derive(Debug)]
struct Place {
    dir: InstanceDir,
    config: Config,
}

impl ActiveMq {
    /// Installs what is missing, which takes a minute or two the first time.
    ///
    /// # Errors
    /// With the failed step's last lines, or the command that an ordinary user has to run first.
    pub fn install(progress: Progress<'_>) -> Result<()> {
        install(progress)
    }

    /// To start a broker other than the plain one.
    pub fn options() -> ActiveMqOptions {
        ActiveMqOptions::default()
    }

    /// As [`ActiveMqOptions::start`], open for everybody and in memory only.
    ///
    /// # Errors
    /// As [`ActiveMqOptions::start`].
    pub fn start(progress: Progress<'_>) -> Result<Self> {
        Self::options().start(progress)
    }

    /// Where JMS clients connect.
    pub fn openwire(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.place.config.openwire).into()
    }

    /// Where STOMP clients, such as the gateway, connect.
    pub fn stomp(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.place.config.stomp).into()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.broker.pid()
    }

    /// How the process ended, or `None` while it runs.
    pub fn exit(&mut self) -> Option<ExitStatus> {
        self.broker.exit()
    }

    /// Whether the process runs.
    pub fn is_alive(&mut self) -> bool {
        self.broker.exit().is_none()
    }

    /// Waits for the broker to end by itself; `None` when it still runs after `limit`.
    ///
    /// # Errors
    /// When interrupted.
    pub fn wait_exit(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        self.broker.wait_exit(limit)
    }

    /// Ends it orderly; data stay for [`ActiveMq::restart`].
    pub fn stop(&mut self) {
        self.broker.stop();
    }

    /// Ends it at once, as a crash would.
    pub fn kill9(&mut self) {
        self.broker.kill9();
    }

    /// Holds it, as if its machine had frozen; connections to it stay.
    pub fn freeze(&mut self) {
        self.broker.freeze();
    }

    /// Lets it go on after [`ActiveMq::freeze`].
    pub fn thaw(&mut self) {
        self.broker.thaw();
    }

    /// Starts it again on the same ports, after stopping it if it still runs.
    ///
    /// # Errors
    /// When it is not ready within 90 s.
    pub fn restart(&mut self) -> Result<()> {
        self.broker.stop();
        self.broker = self.place.start_broker()?;
        Ok(())
    }

    /// The certificate of a broker with [`ActiveMqOptions::tls`], in PEM.
    pub fn certificate(&self) -> PathBuf {
        tls::certificate(self.place.dir.path())
    }

    /// What the broker logs.
    pub fn log_path(&self) -> &Path {
        self.broker.log().path()
    }

    /// The last `count` lines that it logged since its latest start.
    pub fn log_tail(&self, count: usize) -> Vec<String> {
        self.broker.log().tail(count)
    }

    fn start_on_new_ports(options: ActiveMqOptions) -> Result<Self> {
        let [openwire, stomp] = port::free_set()?;
        let dir = InstanceDir::new("activemq")?;
        let config = Config {
            openwire,
            stomp,
            options,
        };
        config.prepare(dir.path())?;
        let place = Place { dir, config };
        Ok(Self {
            broker: place.start_broker()?,
            place,
        })
    }
}

impl Place {
    fn start_broker(&self) -> Result<Process> {
        let log = self.dir.path().join("broker.log");
        let mut broker = Process::start("ActiveMQ", self.command()?, &log, false)?;
        broker.wait_log(READY_LIMIT, |lines| {
            lines.iter().any(|line| is_ready(line)).then_some(())
        })?;
        Ok(broker)
    }

    fn command(&self) -> Result<Command> {
        let dir = self.dir.path();
        let config = self.config.write(dir)?;
        let mut java = spawner::guarded("java");
        java.current_dir(dir)
            .args(JVM)
            .args(PROPERTIES.map(|property| format!("-D{property}")));
        for place in ["home", "base", "conf"] {
            java.arg(format!("-Dactivemq.{place}={}", dir.display()));
        }
        java.arg(format!("-Dactivemq.data={}/data", dir.display()));
        java.args([
            "-cp",
            &install::broker_class_path(!self.config.options.no_advisories)?,
            "org.apache.activemq.console.Main",
        ]);
        java.args(["start", &format!("xbean:file:{}", config.display())]);
        Ok(java)
    }
}

/// As in `… Apache ActiveMQ 5.17.2 (patchbay-21000, ID:…) started`.
fn is_ready(line: &str) -> bool {
    line.contains("Apache ActiveMQ ") && line.ends_with(") started")
}

fn mentions_taken_port(log: &[String]) -> bool {
    log.iter().any(|line| line.contains(PORT_TAKEN))
}

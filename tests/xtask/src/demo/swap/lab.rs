//! The processes, and the operator's orders to the gateway.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use patchbay_servers::{ActiveMq, Gateway, Jms, Nicos, QueueServer};

use super::Server;
use crate::demo::screen::progress;
use crate::demo::stack::{QUEUE, QUOTED_LINES, quoted, runs};
use crate::signals;

const FRONTENDS: [&str; 2] = ["ibex", "local"];
/// An order to the gateway takes no longer.
const ORDER_LIMIT: Duration = Duration::from_secs(30);

/// Everything that runs; dropping it ends everything.
pub struct Lab {
    // Ended in this order, clients first.
    pub jms: Jms,
    pub gateway: Gateway,
    pub broker: ActiveMq,
    queueserver: QueueServer,
    nicos: Nicos,
    binaries: PathBuf,
}

impl Lab {
    /// Starts all, each ready before the next.
    pub fn start(binaries: &Path) -> Result<Self> {
        // With its value cache: without one it has neither value history nor dry runs.
        let nicos = Nicos::options().cache(true).start(&progress)?;
        tell("NICOS", &nicos.address().to_string(), nicos.pid());
        let queueserver = QueueServer::start(&progress)?;
        tell(
            "RE Manager",
            &queueserver.control().to_string(),
            queueserver.pid(),
        );
        let broker = ActiveMq::start(&progress)?;
        tell("ActiveMQ", &broker.openwire().to_string(), broker.pid());
        let gateway = start_gateway(binaries, &nicos, &queueserver, &broker)?;
        let config = gateway.config_path();
        tell("gateway", &config.display().to_string(), gateway.pid());
        progress("Python      is started by the gateway");
        Ok(Self {
            jms: Jms::start(&progress)?,
            gateway,
            broker,
            queueserver,
            nicos,
            binaries: binaries.to_owned(),
        })
    }

    /// Where clients connect that speak JSON lines.
    pub fn socket(&self) -> PathBuf {
        self.gateway.dir().join("patchbay.sock")
    }

    /// Fails, naming it, when one of the processes is gone.
    pub fn check(&mut self) -> Result<()> {
        let Self {
            jms,
            gateway,
            broker,
            queueserver,
            nicos,
            ..
        } = self;
        runs("NICOS", nicos.pid(), nicos.exit(), || {
            nicos.log_tail(QUOTED_LINES)
        })?;
        runs(
            "the RE Manager",
            queueserver.pid(),
            queueserver.exit(),
            || queueserver.log_tail(QUOTED_LINES),
        )?;
        runs("ActiveMQ", broker.pid(), broker.exit(), || {
            broker.log_tail(QUOTED_LINES)
        })?;
        runs("the gateway", gateway.pid(), gateway.exit(), || {
            gateway.log_tail(QUOTED_LINES)
        })?;
        runs("the JMS client", jms.pid(), jms.exit(), Vec::new)
    }

    /// What the gateway logged last, for when something does not happen.
    pub fn log(&self) -> String {
        quoted(self.gateway.log_tail(QUOTED_LINES))
    }

    /// Leads both frontends to a server at once, whatever is under way.
    pub fn route_all(&mut self, server: &Server) -> Result<()> {
        for frontend in FRONTENDS {
            self.order(&["route", frontend, server.id])?;
        }
        Ok(())
    }

    /// Leads both frontends to a server when nothing is under way.
    pub fn route_all_when_idle(&mut self, server: &Server) -> Result<()> {
        for frontend in FRONTENDS {
            self.order(&["route", frontend, server.id, "--when-idle"])?;
        }
        Ok(())
    }

    /// As an operator types it.
    fn order(&mut self, words: &[&str]) -> Result<()> {
        progress(&format!("$ patchbay {}", words.join(" ")));
        let mut order = Command::new(self.binaries.join("patchbay"))
            .args(words)
            .arg(self.gateway.config_path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run patchbay")?;
        let end = Instant::now() + ORDER_LIMIT;
        while Instant::now() < end && !signals::are_caught() {
            match order.try_wait().context("waiting for patchbay")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!(
                    "`patchbay {}` failed: {status}{}",
                    words.join(" "),
                    self.log()
                ),
                None => thread::sleep(Duration::from_millis(20)),
            }
        }
        let _ = order.kill().and_then(|()| order.wait());
        bail!(
            "`patchbay {}` did not end in time{}",
            words.join(" "),
            self.log()
        )
    }

    /// What the user can do while it stays up.
    pub fn help(&self) -> String {
        let patchbay = self.binaries.join("patchbay").display().to_string();
        let config = self.gateway.config_path().display().to_string();
        let socket = self.socket().display().to_string();
        let openwire = self.broker.openwire();
        format!(
            "
Everything stays up until you press Ctrl-C. In another terminal:
  swap it yourself {patchbay} route local python {config}
                   (frontends ibex and local; backends nicos, queueserver and python)
  who is where     {patchbay} sessions {config}
  a prompt         {patchbay} client --connect unix:{socket} --user user  (password user)
  JMS clients      tcp://{openwire} (no broker login), queue {QUEUE}, with a JMSReplyTo"
        )
    }
}

fn tell(name: &str, place: &str, pid: u32) {
    progress(&format!("{name:<11} {place} (process {pid})"));
}

fn start_gateway(
    binaries: &Path,
    nicos: &Nicos,
    queueserver: &QueueServer,
    broker: &ActiveMq,
) -> Result<Gateway> {
    let config = include_str!("gateway.toml")
        .replace("@NICOS@", &nicos.address().to_string())
        .replace("@CONTROL@", &queueserver.control().to_string())
        .replace("@INFO@", &queueserver.info().to_string())
        .replace("@STOMP@", &broker.stomp().to_string())
        .replace("@QUEUE@", QUEUE);
    let options = Gateway::options(&binaries.join("patchbay"), binaries, &config);
    let gateway = options.secret("nicos-password", "admin").start(&|_| {});
    gateway.context("cannot start the gateway")
}

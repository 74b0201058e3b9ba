//! The processes of the demo.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Context, Result, bail};
use patchbay_servers::{ActiveMq, Gateway, Jms, Nicos};

use super::screen;

/// The queue that clients send to; updates are published to topics whose names begin with it.
pub const QUEUE: &str = "ss_admin";

/// So many lines of a log are quoted.
pub const QUOTED_LINES: usize = 5;

/// Everything that runs; dropping it ends everything.
pub struct Stack {
    // Ended in this order, clients first.
    pub jms: Jms,
    pub gateway: Gateway,
    pub broker: ActiveMq,
    pub nicos: Nicos,
    binaries: PathBuf,
}

impl Stack {
    /// Starts all, each ready before the next.
    pub fn start(binaries: &Path) -> Result<Self> {
        let nicos = Nicos::start(&screen::progress)?;
        screen::progress(&format!(
            "NICOS     {} (process {})",
            nicos.address(),
            nicos.pid()
        ));
        let broker = ActiveMq::start(&screen::progress)?;
        let (openwire, stomp) = (broker.openwire(), broker.stomp());
        screen::progress(&format!(
            "ActiveMQ  OpenWire {openwire}, STOMP {stomp} (process {})",
            broker.pid()
        ));
        let gateway = start_gateway(binaries, &nicos, &broker)?;
        let config = gateway.config_path();
        screen::progress(&format!(
            "gateway   {} (process {})",
            config.display(),
            gateway.pid()
        ));
        let jms = Jms::start(&screen::progress)?;
        Ok(Self {
            jms,
            gateway,
            broker,
            nicos,
            binaries: binaries.to_owned(),
        })
    }

    /// What to type for a prompt at this gateway.
    pub fn client(&self) -> String {
        let socket = self.gateway.config_path().with_file_name("patchbay.sock");
        format!(
            "{} client --connect unix:{} --user user",
            self.binaries.join("patchbay").display(),
            socket.display()
        )
    }

    /// Fails, naming it, when one of the processes is gone.
    pub fn check(&mut self) -> Result<()> {
        let Self {
            jms,
            gateway,
            broker,
            nicos,
            ..
        } = self;
        runs("NICOS", nicos.pid(), nicos.exit(), || {
            nicos.log_tail(QUOTED_LINES)
        })?;
        runs("ActiveMQ", broker.pid(), broker.exit(), || {
            broker.log_tail(QUOTED_LINES)
        })?;
        runs("the gateway", gateway.pid(), gateway.exit(), || {
            gateway.log_tail(QUOTED_LINES)
        })?;
        runs("the JMS client", jms.pid(), jms.exit(), Vec::new)
    }

    /// What all of them logged last, for when something does not happen.
    pub fn logs(&self) -> String {
        let logs = [
            ("NICOS", self.nicos.log_tail(QUOTED_LINES)),
            ("ActiveMQ", self.broker.log_tail(QUOTED_LINES)),
            ("the gateway", self.gateway.log_tail(QUOTED_LINES)),
        ];
        logs.map(|(name, log)| format!("\n{name}{}", quoted(log)))
            .concat()
    }
}

fn start_gateway(binaries: &Path, nicos: &Nicos, broker: &ActiveMq) -> Result<Gateway> {
    let config = include_str!("gateway.toml")
        .replace("@NICOS@", &nicos.address().to_string())
        .replace("@STOMP@", &broker.stomp().to_string())
        .replace("@QUEUE@", QUEUE);
    let options = Gateway::options(&binaries.join("patchbay"), binaries, &config);
    let gateway = options.secret("nicos-password", "admin").start(&|_| {});
    gateway.context("cannot start the gateway")
}

/// Fails, naming it, when a process has ended.
pub fn runs(
    name: &str,
    pid: u32,
    exit: Option<ExitStatus>,
    log: impl Fn() -> Vec<String>,
) -> Result<()> {
    match exit {
        Some(how) => bail!("{name} (process {pid}) has ended: {how}{}", quoted(log())),
        None => Ok(()),
    }
}

/// What somebody logged last, to stand behind its name.
pub fn quoted(log: Vec<String>) -> String {
    if log.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = log.iter().map(|line| format!("\n  | {line}")).collect();
    format!("; its last words:{}", lines.concat())
}

//! The gateway of the demo.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use patchbay_servers::Gateway;

use crate::demo::screen::progress;

const QUOTED_LINES: usize = 5;

/// The gateway; dropping it ends it and its Python.
pub struct Lab {
    gateway: Gateway,
    binaries: PathBuf,
}

impl Lab {
    /// Starts it, and waits until it is ready.
    pub fn start(binaries: &Path) -> Result<Self> {
        let config = include_str!("gateway.toml");
        let options = Gateway::options(&binaries.join("patchbay"), binaries, config);
        let gateway = options.start(&|_| {}).context("cannot start the gateway")?;
        progress(&format!(
            "gateway   {} (process {})",
            gateway.config_path().display(),
            gateway.pid()
        ));
        Ok(Self {
            gateway,
            binaries: binaries.to_owned(),
        })
    }

    /// Where clients connect.
    pub fn socket(&self) -> PathBuf {
        self.gateway.dir().join("patchbay.sock")
    }

    /// Fails when it is gone.
    pub fn check(&mut self) -> Result<()> {
        match self.gateway.exit() {
            Some(how) => bail!(
                "the gateway (process {}) has ended: {how}{}",
                self.gateway.pid(),
                self.log()
            ),
            None => Ok(()),
        }
    }

    /// What it logged last.
    pub fn log(&self) -> String {
        let lines = self.gateway.log_tail(QUOTED_LINES);
        let lines: Vec<String> = lines.iter().map(|line| format!("\n  | {line}")).collect();
        format!("; its last words:{}", lines.concat())
    }

    /// What the user can do while it stays up.
    pub fn help(&self) -> String {
        let client = format!(
            "{} client --connect unix:{} --user you",
            self.binaries.join("patchbay").display(),
            self.socket().display()
        );
        let config = self.gateway.config_path().display().to_string();
        let log = self.gateway.log_path().display().to_string();
        format!(
            "
Everything stays up until you press Ctrl-C. In another terminal, with any password:
  a prompt         {client}
  a script         {client} submit FILE.py
  what goes on     {client} status
  configuration    {config}
  gateway's log    {log}
Queue and history lie beside the configuration; in the demo they are removed with it."
        )
    }
}

//! Kills servers and starts them again.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::ledger::{Ledger, Server};
use crate::site::Site;

/// How long scripts may take to run when nothing is killed any more.
const QUIET: Duration = Duration::from_secs(20);

/// Owns the servers.
pub struct Chaos {
    site: Site,
    ledger: Arc<Ledger>,
    dice: fastrand::Rng,
}

impl Chaos {
    pub fn new(site: Site, ledger: Arc<Ledger>, dice: fastrand::Rng) -> Self {
        Self { site, ledger, dice }
    }

    /// Until `end`; then everything runs.
    pub fn reign(&mut self, end: Instant, every: Duration) -> Result<()> {
        loop {
            let pause = every.mul_f64(0.5 + self.dice.f64());
            if Instant::now() + pause >= end {
                thread::sleep(end.saturating_duration_since(Instant::now()));
                return Ok(());
            }
            thread::sleep(pause);
            let victims: &[Server] = match self.dice.u8(..10) {
                0..3 => &[Server::Broker],
                3..5 => &[Server::Daemon],
                5..8 => &[Server::Gateway],
                8 => &[Server::Gateway, Server::Broker],
                _ => &[Server::Broker, Server::Daemon, Server::Gateway],
            };
            self.kill(victims)?;
        }
    }

    fn kill(&mut self, victims: &[Server]) -> Result<()> {
        println!("  killing {victims:?}");
        for victim in victims {
            match victim {
                Server::Broker => self.site.broker.kill9(),
                Server::Daemon => self.site.nicos.kill9(),
                Server::Gateway => self.site.gateway.kill9(),
            }
            self.ledger.killed(*victim);
        }
        thread::sleep(Duration::from_millis(self.dice.u64(..4_000)));
        for victim in victims {
            match victim {
                Server::Broker => self.site.broker.restart(),
                Server::Daemon => self.site.nicos.restart(),
                Server::Gateway => self.site.gateway.restart(),
            }
            .with_context(|| format!("starting the {victim:?} again"))?;
        }
        Ok(())
    }

    /// What the scripts that ran have written, once that has not changed for a while.
    pub fn runs(&self) -> Result<String> {
        let read =
            || std::fs::read_to_string(&self.site.runs).context("reading what scripts wrote");
        let (mut before, mut since) = (read()?, Instant::now());
        while since.elapsed() < QUIET {
            thread::sleep(Duration::from_secs(1));
            let now = read()?;
            if now != before {
                (before, since) = (now, Instant::now());
            }
        }
        Ok(before)
    }
}

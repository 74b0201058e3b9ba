//! A status that NICOS itself is asked for: what the gateway adds to the broker's part and the daemon's.

use anyhow::{Context, Result};
use patchbay_nicos::Nicos as Backend;
use patchbay_servers::{ActiveMq, Nicos, to_stderr};
use patchbay_testkit::{BackendHost, Wire};
use serde_json::json;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

use crate::daemon::{Command, Daemon, NOTHING};
use crate::figure::{Bound, Figure, Spread, To};
use crate::load::{Load, Work};
use crate::{gateway, machine, responders, say};

const REQUEST: &str = r#"{"op":"status","args":{"fresh":true},"id":1234567}"#;
/// Requests of each contender in a round, one after the other.
const REQUESTS: usize = 1_000;
const WORK: Work = Work {
    clients: 1,
    outstanding: 1,
    requests: REQUESTS,
};

const FLOOR: &str = "broker floor (raw STOMP echo)";
const DIRECT: &str = "direct getstatus";
const LINKED: &str = "backend linked in-process";
const PATCHBAY: &str = "Patchbay";
const PINNED: &str = "Patchbay, pinned";
const PEER: &str = "Python proxy";

pub fn run(rounds: usize) -> Result<Vec<Figure>> {
    let nicos = Nicos::start(&to_stderr)?;
    let broker = ActiveMq::start(&to_stderr)?;
    let echo = responders::stomp_echo(&broker, "floor", "individual")?;
    let peer = responders::peer(&broker, "peer", Some(&nicos))?;
    let parts = |queue| {
        let backend = gateway::nicos(&nicos.address().to_string());
        [
            backend,
            gateway::activemq("nicos", &broker.stomp().to_string(), queue),
        ]
    };
    let start = |queue| gateway::start(&parts(queue).each_ref().map(String::as_str));
    let (free, pinned) = (start("free")?, start("pinned")?);
    machine::pin(pinned.pid(), 0)?;
    let by_broker = [
        (FLOOR, "floor", echo.pid()),
        (PATCHBAY, "free", free.pid()),
        (PINNED, "pinned", pinned.pid()),
        (PEER, "peer", peer.pid()),
    ];
    let mut daemon = Daemon::login(nicos.address(), 1)?;
    let linked = Linked::start(&nicos)?;
    let mut load = Load::start(&broker)?;
    say("warming up");
    for (_, queue, pid) in by_broker {
        load.run(queue, pid, WORK, REQUEST)?;
    }
    let mut p50 = Figure::new("fresh status: p50", "µs");
    let mut p99 = Figure::new("fresh status: p99", "µs");
    let mut cpu = Figure::new("fresh status: CPU of the answerer", "µs/message");
    for round in 1..=rounds {
        say(&format!("round {round} of {rounds}"));
        for (contender, queue, pid) in by_broker {
            let outcome = load.run(queue, pid, WORK, REQUEST)?;
            p50.add(contender, outcome.p50);
            p99.add(contender, outcome.p99);
            cpu.add(contender, outcome.cpu);
        }
        let direct = times(|| daemon.time(Command::GetStatus, NOTHING))?;
        p50.add(DIRECT, direct);
        p50.add(LINKED, linked.measure()?);
    }
    let over = |others: [&str; 2]| To::OverSumOf(others.map(str::to_owned).to_vec());
    let p50 = p50
        .aim(PINNED, over([FLOOR, DIRECT]), Bound::AtMost(30.0))
        .aim(PATCHBAY, over([FLOOR, DIRECT]), Bound::AtMost(30.0))
        .aim(PATCHBAY, over([FLOOR, LINKED]), Bound::AtMost(30.0));
    Ok(vec![p50, p99, cpu])
}

/// The middle one of as many times as everybody is asked.
fn times(mut once: impl FnMut() -> Result<f64>) -> Result<f64> {
    let times = (0..REQUESTS)
        .map(|_| once())
        .collect::<Result<Vec<f64>>>()?;
    Ok(Spread::of(&times).context("nothing was measured")?.median)
}

/// The gateway's backend, called by this program as a frontend would be by the host.
struct Linked {
    runtime: Runtime,
    host: BackendHost,
}

impl Linked {
    fn start(nicos: &Nicos) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let config = json!({ "address": nicos.address().to_string() });
        let host = runtime
            .block_on(BackendHost::start::<Backend>(config, Wire::InProcess))
            .map_err(anyhow::Error::msg)?;
        Ok(Self { runtime, host })
    }

    fn measure(&self) -> Result<f64> {
        self.runtime.block_on(async {
            let login = self.host.login("admin", "admin").await;
            let session = login.map_err(anyhow::Error::msg)?;
            let mut times = Vec::new();
            for _ in 0..REQUESTS {
                let begun = Instant::now();
                let status = session.call("status", json!({ "fresh": true })).await;
                status.map_err(anyhow::Error::msg)?;
                times.push(begun.elapsed().as_secs_f64() * 1e6);
            }
            session.logout();
            Ok(Spread::of(&times).context("nothing was measured")?.median)
        })
    }
}

//! What the gateway takes when nothing happens: memory, processor time, its start; and a look that it answers from memory.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use patchbay_servers::{ActiveMq, Gateway, Nicos, to_stderr};

use crate::bare::Bare;
use crate::figure::{Bound, Figure, Spread, To};
use crate::line::Line;
use crate::load::{Load, Work};
use crate::{cost, gateway, say};

const SESSIONS: usize = 1_000;
/// How long nothing happens.
const PEACE: Duration = Duration::from_secs(5);
/// Looks, one after the other.
const LOOKS: usize = 5_000;
const PATCHBAY: &str = "Patchbay";

pub fn run(rounds: usize) -> Result<Vec<Figure>> {
    let mut figures = sessions(rounds)?;
    figures.push(looks(rounds)?);
    figures.extend(with_both_plugins(rounds)?);
    Ok(figures)
}

/// The memory of sessions that do nothing, and the time that they take.
fn sessions(rounds: usize) -> Result<Vec<Figure>> {
    let mut memory = Figure::new(format!("{SESSIONS} idle sessions: memory of each"), "KiB");
    let mut time = Figure::new(format!("{SESSIONS} idle sessions: CPU"), "% of a core");
    for round in 1..=rounds {
        say(&format!(
            "{SESSIONS} idle sessions, round {round} of {rounds}"
        ));
        // A fresh one, as memory that was used once is used again.
        let gateway = gateway::start(&[gateway::ECHO, &gateway::socket("echo")])?;
        let first = Line::login(&gateway)?;
        let before = cost::resident_kib(gateway.pid())?;
        let all = (0..SESSIONS)
            .map(|_| Line::login(&gateway))
            .collect::<Result<Vec<_>>>()?;
        let after = cost::resident_kib(gateway.pid())?;
        memory.add(PATCHBAY, (after - before) / SESSIONS as f64);
        time.add(PATCHBAY, percent_at_peace(&gateway)?);
        drop((first, all));
    }
    Ok(vec![
        memory.aim(PATCHBAY, To::Itself, Bound::AtMost(64.0)),
        time.aim(PATCHBAY, To::Itself, Bound::AtMost(0.1)),
    ])
}

fn percent_at_peace(gateway: &Gateway) -> Result<f64> {
    let before = cost::cpu(gateway.pid())?;
    thread::sleep(PEACE);
    let spent = cost::cpu(gateway.pid())?.saturating_sub(before);
    Ok(spent.as_secs_f64() / PEACE.as_secs_f64() * 100.0)
}

/// A status that the host remembers goes the frontend's way and the host's; a ping goes the frontend's.
fn looks(rounds: usize) -> Result<Figure> {
    const PING: &str = "ping, which the frontend answers";
    const STATUS: &str = "status, which the host answers";
    let gateway = gateway::start(&[gateway::ECHO, &gateway::socket("echo")])?;
    let mut line = Line::login(&gateway)?;
    let mut figure = Figure::new("a look from memory over the socket: p50", "µs");
    for round in 1..=rounds {
        say(&format!("looks, round {round} of {rounds}"));
        figure.add(PING, median(&mut line, r#"{"op":"ping"}"#)?);
        figure.add(STATUS, median(&mut line, r#"{"op":"status"}"#)?);
    }
    Ok(figure.aim(
        STATUS,
        To::OverSumOf(vec![PING.into()]),
        Bound::AtMost(10.0),
    ))
}

fn median(line: &mut Line, request: &str) -> Result<f64> {
    let times = (0..LOOKS)
        .map(|_| line.time(request))
        .collect::<Result<Vec<f64>>>()?;
    Ok(Spread::of(&times).context("nothing was measured")?.median)
}

/// From the start until it is ready, and its memory after some work, between the real servers.
fn with_both_plugins(rounds: usize) -> Result<Vec<Figure>> {
    let nicos = Nicos::start(&to_stderr)?;
    let broker = ActiveMq::start(&to_stderr)?;
    let backend = gateway::nicos(&nicos.address().to_string());
    let frontend = gateway::activemq("nicos", &broker.stomp().to_string(), "patchbay");
    let real = [backend.as_str(), frontend.as_str()];
    let socket = gateway::socket("echo");
    let mut load = Load::start(&broker)?;
    let mut memory = Figure::new(
        "resident memory, NICOS and ActiveMQ, after 1000 requests",
        "MiB",
    );
    let mut ready = Figure::new("from start to ready", "ms");
    let mut work = Figure::new("from start to ready: CPU", "ms");
    for round in 1..=rounds {
        say(&format!("start and memory, round {round} of {rounds}"));
        let small = [gateway::ECHO, &socket];
        for (contender, parts) in [("echo and socket", &small), ("NICOS and ActiveMQ", &real)] {
            let (took, spent) = start(parts)?;
            ready.add(contender, took);
            work.add(contender, spent);
        }
        let gateway = gateway::start(&real)?;
        let requests = Work {
            clients: 10,
            outstanding: 1,
            requests: 100,
        };
        load.run("patchbay", gateway.pid(), requests, r#"{"op":"status"}"#)?;
        memory.add(PATCHBAY, cost::resident_kib(gateway.pid())? / 1024.0);
    }
    let within = Bound::AtMost(150.0);
    Ok(vec![
        ready.aim("echo and socket", To::Itself, within).aim(
            "NICOS and ActiveMQ",
            To::Itself,
            within,
        ),
        memory.aim(PATCHBAY, To::Itself, Bound::AtMost(25.0)),
    ])
}

/// How long it takes until it is ready, and how much processor time, in ms.
fn start(parts: &[&str]) -> Result<(f64, f64)> {
    let begun = Instant::now();
    let mut gateway = Bare::start(&[], parts)?;
    gateway.wait_for("\"ready\"")?;
    let spent = cost::cpu(gateway.pid())?;
    Ok((
        begun.elapsed().as_secs_f64() * 1e3,
        spent.as_secs_f64() * 1e3,
    ))
}

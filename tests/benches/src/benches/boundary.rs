//! The boundary between host and plugin, in this process: what handing a message over costs, and the hop to the other's runtime.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Kind, Message, Port};
use patchbay_sdk::{Backend, BackendContext, BackendSession, Command, Fault, Login, Reply, Role};
use patchbay_testkit::{BackendHost, Wire};
use serde_json::json;
use tokio::runtime::Builder;

use crate::figure::{Bound, Figure, Spread, To};
use crate::{machine, say};

const CALLS: u32 = 1_000_000;
const REQUESTS: usize = 20_000;
const BOUNDARY: &str = "through the boundary";
const PLAIN: &str = "a plain method";

/// Takes a message and does nothing with it.
struct Nobody;

impl Deliver for Nobody {
    fn deliver(&self, message: Message) -> Delivery {
        black_box(message);
        Delivery::Taken
    }
}

/// Answers with what it was asked.
struct Echo;

impl Backend for Echo {
    type Config = ();
    type Session = Echo;

    async fn start((): (), _cx: BackendContext) -> Result<Self, Fault> {
        Ok(Echo)
    }

    async fn login(&self, _login: Login) -> Result<Echo, Fault> {
        Ok(Echo)
    }
}

impl BackendSession for Echo {
    fn role(&self) -> Role {
        Role::Admin
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        Ok(Reply::raw(command.args))
    }
}

pub fn run(rounds: usize) -> Result<Vec<Figure>> {
    let mut call = Figure::new("handing over an empty message", "ns");
    let mut hop = Figure::new("a call and its answer, two hops, p50", "µs");
    let port = Port::new(Nobody);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let host = runtime
        .block_on(BackendHost::start::<Echo>(json!(null), Wire::InProcess))
        .map_err(anyhow::Error::msg)?;
    for round in 1..=rounds {
        say(&format!("round {round} of {rounds}"));
        call.add(PLAIN, each(|message| Nobody.deliver(message)));
        call.add(BOUNDARY, each(|message| port.deliver(message)));
        machine::unpin(std::process::id())?;
        hop.add("on any core", runtime.block_on(there_and_back(&host))?);
        machine::pin(std::process::id(), 0)?;
        hop.add("pinned", runtime.block_on(there_and_back(&host))?);
    }
    machine::unpin(std::process::id())?;
    Ok(vec![
        call.aim(
            BOUNDARY,
            To::OverSumOf(vec![PLAIN.into()]),
            Bound::AtMost(25.0),
        ),
        hop.aim("pinned", To::Itself, Bound::AtMost(12.0)),
    ])
}

fn each(deliver: impl Fn(Message) -> Delivery) -> f64 {
    let begun = Instant::now();
    for id in 0..CALLS {
        black_box(deliver(Message::bare(Kind::PING, id.into())));
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

async fn there_and_back(host: &BackendHost) -> Result<f64> {
    let session = host.login("a", "b").await.map_err(anyhow::Error::msg)?;
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        session
            .reply("eval", json!({ "code": "1" }))
            .await
            .map_err(anyhow::Error::msg)?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    session.logout();
    Ok(Spread::of(&times).context("nothing was measured")?.median)
}

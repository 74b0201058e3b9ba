//! A frontend that misbehaves as its configuration says, so that tests can see what that does to everybody else.

#![forbid(unsafe_code)]
#![allow(clippy::panic, reason = "this is what it is for")]

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, FaultKind, Frontend, Gateway, RawJson, Secret, Session, Stop};
use serde::Deserialize;
use std::net::TcpListener;
use std::time::Duration;

/// Misbehaves.
pub struct Door;

/// `[frontend.config]` of a rogue door.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// An address on which it listens for nothing, `host:port`.
    listen: Option<String>,
    /// What it does before it is ready.
    #[serde(default)]
    start: Manner,
    /// What it does when it is ready.
    #[serde(default)]
    then: Deed,
    /// What it does when it is to stop.
    #[serde(default)]
    stop: Manner,
}

/// How something is done.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Manner {
    /// As it should be.
    #[default]
    Well,
    /// With an error.
    Fail,
    /// With a panic.
    Panic,
    /// Never.
    Hang,
    /// Never, and nothing else either: it holds the instance's only thread.
    Block,
}

/// What it does to others.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    /// Nothing.
    #[default]
    Nothing,
    /// Holds the instance's only thread.
    Block,
    /// Ends the process in which it runs.
    Abort,
    /// Ends it as if it were its own.
    Exit,
    /// Panics.
    Panic,
    /// Returns without having been asked.
    Return,
    /// Logs in again and again, and keeps every session.
    Hoard,
    /// Asks in all its sessions all the time, and never reads an event.
    Flood,
}

impl Manner {
    async fn act(self, what: &str) -> Result<(), Fault> {
        let why = format!("{what} fails on request");
        match self {
            Manner::Well => Ok(()),
            Manner::Fail => Err(Fault::new(FaultKind::Unavailable, why)),
            Manner::Panic => panic!("{what} panics on request"),
            Manner::Hang => std::future::pending().await,
            Manner::Block => block(),
        }
    }
}

impl Frontend for Door {
    type Config = Config;

    async fn run(config: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        let _held = config.listen.as_deref().map(listen).transpose()?;
        config.start.act("start").await?;
        gateway.ready();
        tokio::select! {
            done = act(config.then, &gateway) => done?,
            () = stop.wait() => {}
        }
        config.stop.act("stop").await
    }
}

async fn act(deed: Deed, gateway: &Gateway) -> Result<(), Fault> {
    match deed {
        Deed::Nothing => std::future::pending().await,
        Deed::Block => block(),
        Deed::Abort => std::process::abort(),
        Deed::Exit => std::process::exit(0),
        Deed::Panic => panic!("it panics on request"),
        Deed::Return => Ok(()),
        Deed::Hoard => hoard(gateway, usize::MAX).await.map(drop),
        Deed::Flood => flood(gateway).await,
    }
}

/// Logs in until that many are in. Those who are refused try again.
async fn hoard(gateway: &Gateway, most: usize) -> Result<Vec<Session>, Fault> {
    let mut sessions = Vec::new();
    while sessions.len() < most {
        match gateway.login("nowhere", "hoarder", Secret::new("")).await {
            Ok(session) => sessions.push(session),
            // It does not wait, but lets the instance's other tasks live.
            Err(_) => tokio::task::yield_now().await,
        }
    }
    Ok(sessions)
}

async fn flood(gateway: &Gateway) -> Result<(), Fault> {
    let _unread = gateway.events();
    let sessions = hoard(gateway, 4).await?;
    let mut asked = tokio::task::JoinSet::new();
    loop {
        for session in &sessions {
            let session = session.clone();
            asked.spawn(async move {
                let args = RawJson::new("status")?;
                session.call("status", args).await
            });
        }
        while asked.len() > 1000 {
            asked.join_next().await;
        }
        tokio::task::yield_now().await;
    }
}

fn listen(address: &str) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).map_err(|error| {
        let text = format!("cannot listen on {address}: {error}");
        Fault::new(FaultKind::Unavailable, text)
    })
}

/// For ever.
fn block() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

patchbay_sdk::export!(frontend = Door);

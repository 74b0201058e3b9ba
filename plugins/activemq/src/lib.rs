//! Frontend for clients behind ActiveMQ: JSON requests in a queue, answers to each client's own queue.
//!
//! What clients write and read is specified in this crate's `README.md`.
//!
//! ```text
//!  broker --reading connection--> consumer --> desk --> client (one per reply-to, in order) --> host
//!    ^                               |          |  memory: what was done already
//!    |<-------- ACK -----------------+          v
//!    |<-------- SEND, RECEIPT ------------ answering connection <-- events
//! ```
//! Invariants: every message with a usable `reply-to` is answered exactly once per delivery and acknowledged after the
//! broker has the answer; nothing that changes the script server is done twice, but for urgent requests of which it is not
//! known whether they were done; nothing grows without bound.

#![forbid(unsafe_code)]

mod advisory;
mod answering;
mod backlog;
mod broker_config;
mod brokers;
mod client;
mod clients;
mod config;
mod consumer;
mod default_login;
mod delivery;
mod desk;
mod events;
mod held;
mod intake;
mod key;
mod limits_config;
mod links;
mod member;
mod memory;
mod once;
mod outlet;
mod pending;
mod presence;
mod proof;
mod refusals;
mod reply_to;
mod stale;
pub mod stomp;
mod subscribers;
mod subscription;
mod worker;

use std::sync::Arc;

use patchbay_sdk::{Fault, Frontend, Gateway, Stop};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use broker_config::{BrokerList, TlsConfig};
pub use config::{Config, Events};
pub use default_login::DefaultLoginConfig;
pub use limits_config::LimitsConfig;

use answering::Answering;
use brokers::Brokers;
use consumer::Consumer;
use desk::Desk;
use links::Links;

/// The frontend.
#[derive(Debug)]
pub struct ActiveMq;

impl Frontend for ActiveMq {
    type Config = Config;

    /// A broker that is away is no error: the health says so, and the connections are made again for ever.
    async fn run(config: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        let settings = config.check()?;
        let links = Arc::new(Links::new(gateway.clone()));
        let brokers = Arc::new(Brokers::new(settings.targets.clone()));
        let (answers, made) = mpsc::channel(usize::from(settings.limits.requests) * 2);
        let desk = Arc::new(Desk::new(settings, gateway, answers));
        let publisher = publisher(&desk);
        let (finish, finished) = Stop::channel();
        let answering = Answering::new(desk.clone(), brokers.clone(), links.clone(), made);
        let answering = tokio::spawn(answering.run(finished));
        Consumer::new(desk, brokers, links).run(stop).await;
        let _ = finish.send(true);
        let _ = answering.await;
        if let Some(publisher) = publisher {
            publisher.abort();
        }
        Ok(())
    }
}

/// What takes the backend's events to where they are wanted.
fn publisher(desk: &Arc<Desk>) -> Option<JoinHandle<()>> {
    let events = || desk.gateway.events();
    match desk.settings.events {
        Events::Topic => Some(tokio::spawn(events::publish(events(), desk.clone()))),
        Events::ReplyTo => Some(tokio::spawn(subscribers::hand_out(events(), desk.clone()))),
        Events::Off => None,
    }
}

patchbay_sdk::export!(frontend = ActiveMq);

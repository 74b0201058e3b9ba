//! Frontend for clients on a plain socket: one JSON object per line, over TCP or a Unix socket.
//!
//! What clients write and read is specified in this crate's `README.md`.
//!
//! ```text
//!            +-- connection: bytes -> lines -> requests --> desk --> errands --> host
//!  client ---|                                               |          |
//!            +-- writer <--------------- answers ------------+----------+
//!                  ^
//!                  +---- feed: one ring of lines for all subscribers <-- events <-- host
//! ```
//! Invariants: one connection's answers and events are written by one task; a subscriber is a number in the ring, so that
//! a slow one costs nothing and holds up nobody; what changes the script server, and has begun, is not cancelled because
//! its client is gone; nothing grows without bound.

#![forbid(unsafe_code)]

mod config;
mod connection;
mod desk;
mod door;
mod errand;
mod feed;
pub mod line;
mod outgoing;
mod places;
mod ring;
mod room;
#[cfg(unix)]
mod socket_file;
mod writer;

use std::sync::Arc;

use patchbay_dialect_json::Since;
use patchbay_sdk::{Fault, Frontend, Gateway, Health, Stop};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

pub use config::{Config, Limits};

use config::Settings;
use feed::Feed;
use places::Places;
use room::Room;

/// The frontend.
#[derive(Debug)]
pub struct Socket;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) gateway: Gateway,
    pub(crate) feed: Arc<Feed>,
    pub(crate) connections: Places,
    /// Those of them on which nobody has logged in yet.
    pub(crate) strangers: Places,
    /// Requests that change something, whose clients may be gone.
    pub(crate) changes: Places,
    /// For answers that wait until their clients take them.
    pub(crate) room: Arc<Room>,
}

impl Shared {
    fn new(settings: Settings, gateway: Gateway, start: Since) -> Self {
        let room = Arc::new(Room::new(settings.limits.answer_bytes));
        let feed = Feed::new(gateway.clone(), settings.events_bytes, room.clone(), start);
        let limits = &settings.limits;
        Shared {
            connections: Places::new(limits.connections),
            strangers: Places::new(limits.strangers()),
            changes: Places::new(limits.changes),
            feed: Arc::new(feed),
            room,
            settings,
            gateway,
        }
    }

    /// Waits until every connection has ended, and all that goes on without its client; but no longer than the host does.
    async fn end(&self, stop: &Stop) {
        let ended = async {
            self.connections.all_free().await;
            self.changes.all_free().await;
        };
        if timeout_at(stop.leave_until(), ended).await.is_ok() {
            return;
        }
        let (connections, changes) = (self.connections.taken(), self.changes.taken());
        self.gateway
            .count("connections_cut_at_stop", connections as u64);
        self.gateway.count("requests_cut_at_stop", changes as u64);
        tracing::warn!(
            "{connections} connections and {changes} requests had not ended in time and are cut"
        );
    }
}

impl Frontend for Socket {
    type Config = Config;

    async fn run(config: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        let settings = config.check()?;
        let doors = door::open(&settings).await?;
        let all = patchbay_sdk::Since::default();
        let (mut events, position) = gateway.events_since(all).await?;
        let before = |seq: u64| Since {
            epoch: position.epoch,
            seq: seq.saturating_sub(1),
        };
        let shared = Shared::new(settings, gateway.clone(), before(position.first));
        shared
            .feed
            .take_up(&mut events, before(position.next))
            .await;
        let shared = Arc::new(shared);
        let reader = tokio::spawn(shared.feed.clone().run(events));
        let keepers = doors
            .into_iter()
            .map(|door| door.keep(shared.clone(), stop.clone()));
        let keepers: JoinSet<()> = keepers.collect();
        gateway.ready();
        gateway.health(Health::Up);
        keepers.join_all().await;
        shared.end(&stop).await;
        reader.abort();
        Ok(())
    }
}

patchbay_sdk::export!(frontend = Socket);

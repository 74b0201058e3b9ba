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
mod ring;
#[cfg(unix)]
mod socket_file;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::{Fault, Frontend, Gateway, Health, Stop};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use config::{Config, Limits};

use config::Settings;
use feed::Feed;

/// The frontend.
#[derive(Debug)]
pub struct Socket;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) gateway: Gateway,
    pub(crate) feed: Arc<Feed>,
}

/// One of the places for connections; given back when it is dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Frontend for Socket {
    type Config = Config;

    async fn run(config: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        let settings = config.check()?;
        let doors = door::open(&settings).await?;
        let feed = Arc::new(Feed::new(gateway.clone(), settings.events_bytes));
        let reader = tokio::spawn(feed.clone().run(gateway.events()));
        let places = Places::new(settings.limits.connections);
        let shared = Arc::new(Shared {
            settings,
            gateway: gateway.clone(),
            feed,
        });
        let keepers = doors
            .into_iter()
            .map(|door| door.keep(shared.clone(), places.clone(), stop.clone()));
        let keepers: JoinSet<()> = keepers.collect();
        gateway.ready();
        gateway.health(Health::Up);
        keepers.join_all().await;
        let busy = places
            .wait_until_free(shared.settings.stop + connection::GOODBYE)
            .await;
        if busy > 0 {
            gateway.count("connections_cut_at_stop", busy);
            tracing::warn!("{busy} connections had not ended in time and are cut");
        }
        reader.abort();
        Ok(())
    }
}

/// The places for connections.
#[derive(Clone)]
pub(crate) struct Places {
    most: u32,
    free: Arc<Semaphore>,
}

impl Places {
    fn new(most: usize) -> Self {
        Places {
            most: u32::try_from(most).unwrap_or(u32::MAX),
            free: Arc::new(Semaphore::new(most)),
        }
    }

    /// A place, if there is one.
    pub(crate) fn take(&self) -> Option<Place> {
        let permit = self.free.clone().try_acquire_owned().ok()?;
        Some(Place { _permit: permit })
    }

    /// Waits until every connection has ended, and all that goes on without its client; but no longer than so. Returns how
    /// many are left.
    async fn wait_until_free(&self, patience: Duration) -> u64 {
        let _ = timeout(patience, self.free.acquire_many(self.most)).await;
        u64::from(self.most).saturating_sub(self.free.available_permits() as u64)
    }
}

patchbay_sdk::export!(frontend = Socket);

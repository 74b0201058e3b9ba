//! What machines ask a gateway that runs: whether it lives, whether it is ready, its metrics, its
//! version. HTTP, for reading only, on this machine only, on a thread of its own.

mod answer;
mod ready;
mod serve;
#[cfg(unix)]
mod unix;

pub use ready::{Readiness, readiness};
pub use serve::serve;

use crate::broker::Broker;
use crate::config::AdminAddress;
use crate::logging::Dropped;
use std::sync::Arc;

/// What the answers are made of.
pub struct Desk {
    /// The gateway's name in the configuration.
    pub name: String,
    /// Everything that can be looked at.
    pub broker: Arc<Broker>,
    /// The log lines that were dropped.
    pub dropped: Dropped,
}

/// Begins to listen if the configuration says where. Without it the gateway serves its clients all the
/// same, but whoever watches over it sees nothing.
pub fn start(address: &AdminAddress, desk: Desk) {
    if *address == AdminAddress::Off {
        return;
    }
    match serve(address, desk) {
        Ok(at) => tracing::info!(at, "metrics and readiness can be asked for by HTTP"),
        Err(why) => tracing::error!(
            why,
            "metrics and readiness cannot be asked for (admin_listen)"
        ),
    }
}

//! Drives a plugin in-process, for its tests.
//!
//! [`BackendHost`] stands in for the host of a backend: it starts it, logs in, calls, and keeps
//! what it tells. [`FrontendHost`] stands in for the host of a frontend: it lets clients in and
//! answers by a function of yours. Either can run with every message turned into bytes and back
//! ([`Wire::Bytes`]), so that a test shows that nothing but messages crosses. [`build::plugin`]
//! builds a plugin of this workspace and says where it is.
//!
//! [`conformance`] looks whether a plugin keeps to what is demanded of all: start with it. [`peer`] stands in for what a plugin
//! speaks to, byte by byte; [`golden`] compares with files. [`Plugin`] is a plugin however it is got at.
//!
//! Waits are bounded by [`PATIENCE`], and panic when it ends: these are for tests.

#![forbid(unsafe_code)]
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that cannot go on must fail"
)]

mod backend_host;
pub mod build;
pub mod conformance;
mod frontend_host;
pub mod golden;
pub mod peer;
mod plugin;
mod told;
mod wire;

pub use backend_host::{BackendHost, TestSession};
pub use frontend_host::{Asked, FrontendHost};
pub use plugin::Plugin;
pub use wire::Wire;

use std::time::Duration;

/// How long a test waits for anything before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

//! bluesky's RE Manager (queueserver) as a Patchbay backend.
//!
//! From the wire up: [`zmtp`] is 0MQ's protocol, [`wire`] keeps connections, [`shape`] reads the server's answers, [`shim`] is
//! what runs scripts inside the server's environment and [`console`] understands what is printed there, [`jobs`] knows what
//! became of every job, [`queue`] changes what waits, [`observer`] watches and sees to it that what waits is run, and [`ops`] says each of the model's
//! operations in the server's methods.
#![forbid(unsafe_code)]

pub mod backend;
pub mod config;
pub mod console;
pub mod environment;
pub mod jobs;
pub mod journal;
pub mod observer;
pub mod ops;
pub mod queue;
pub mod refusal;
pub mod server;
pub mod shape;
pub mod shim;
pub mod wire;
pub mod zmtp;

pub use backend::QueueServer;
pub use config::Config;

patchbay_sdk::export!(backend = QueueServer);

//! What a plugin author writes against: ordinary async Rust on ordinary tokio.
//!
//! A **backend** speaks to a script server: implement [`Backend`] and [`BackendSession`]. A
//! **frontend** speaks to clients: implement [`Frontend`], which gets a [`Gateway`]. Then
//! [`export!`] the type from a crate of type `cdylib`. This is a whole backend, the `echo` plugin:
//!
//! ```
#![doc = include_str!("../../plugins/echo/src/lib.rs")]
//! ```
//!
//! How to go on from there stands in the author's [`guide`]: from nothing to a plugin that is shipped, what the host promises and
//! what it demands, and a page for each of the three things that go wrong most often.

#![forbid(unsafe_code)]

mod answered;
mod backend;
mod backoff;
mod blocking;
mod command;
mod configuration;
mod counts;
mod event;
mod events;
mod export;
mod frontend;
mod gateway;
mod health;
mod json;
mod listen;
mod log;
mod mistake;
mod secret_source;
mod session;
mod stop;
mod taken;

#[doc(hidden)]
pub mod glue;
/// The author's guide: `README.md` of this crate, and the pages beside it.
pub mod guide;
pub mod model;

pub use backend::{Backend, BackendContext, BackendSession, Login};
pub use backoff::Backoff;
pub use blocking::by_size;
pub use command::{Command, Reply};
pub use configuration::Configuration;
pub use event::{Event, EventKind};
pub use events::{Events, GatewayEvent};
pub use frontend::Frontend;
pub use gateway::Gateway;
pub use health::Health;
pub use json::RawJson;
pub use listen::{ListenAddress, ListenFile};
pub use mistake::{field_within, wrong_field};
pub use model::Role;
pub use patchbay_abi::head::{Position, Since};
pub use patchbay_abi::{Buffer, Fault, FaultKind, Secret, Side};
/// For `use patchbay_sdk::schemars::{self, JsonSchema}`, which the derive macro needs.
pub use schemars;
pub use secret_source::SecretSource;
pub use session::Session;
pub use stop::Stop;

#[doc(hidden)]
pub mod __private {
    //! For [`crate::export!`] only.
    pub use crate::glue::{open_backend, open_frontend, schema_backend, schema_frontend};
    pub use patchbay_abi;
    /// The SDK's version, as the manifest states it.
    pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");
}

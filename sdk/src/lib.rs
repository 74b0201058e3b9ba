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
//! # What the host promises
//! * Each instance has a tokio runtime of its own, on one named thread, with I/O and time.
//! * Calls of one instance begin in the order in which the host sent them, and then run
//!   concurrently; calls with [`Command::urgent`] are never held back by the host.
//! * A call that nobody waits for any more is dropped, as any future is.
//! * A panic fails the request, login or start in which it happens, and nothing else.
//! * What a plugin says by `tracing` arrives in the host's log, under the instance's name.
//!
//! # What it demands
//! * Never block the runtime: no `std::thread::sleep`, no long computation (more than 64 KiB of
//!   decoding, say) outside `tokio::task::spawn_blocking`. The host asks now and then whether the runtime still runs;
//!   an instance that does not answer for `hang_s` is given up, and a new one started.
//! * Be ready within `start_deadline_s`. A server or a broker that is away is no reason to wait: say
//!   [`Health::Down`], be ready, and try on.
//! * No unbounded queue, wait or retry.
//! * End when [`Stop`] says so.
//! * Report a job as succeeded only upon the script server's positive word.

#![forbid(unsafe_code)]

mod answered;
mod backend;
mod backoff;
mod blocking;
mod command;
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
pub mod model;

pub use backend::{Backend, BackendContext, BackendSession, Login};
pub use backoff::Backoff;
pub use blocking::by_size;
pub use command::{Command, Reply};
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

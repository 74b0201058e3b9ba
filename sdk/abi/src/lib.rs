//! The boundary between the Patchbay host and its plugins.
//!
//! Everything that crosses is a [`Message`]; each side has one non-blocking [`Port`] that takes
//! them. In-process the messages cross as they are, through a handful of functions whose layout
//! `abi_stable` checks ([`module`]); between processes the same messages cross as bytes
//! ([`frame`]), and for a program in another language as lines of JSON ([`mod@line`]). What the messages
//! mean is specified in one place: [`Kind`] for the conversation, [`head`] for what each kind carries.
//!
//! Reading order: [`message`], [`head`], [`fault`], [`port`], [`module`], [`manifest`], [`frame`], [`mod@line`].
//!
//! # Who allocates, who frees
//! A buffer is moved with the message and freed by the side that made it, through the function
//! pointer that travels with it; nobody copies and no allocator is shared.
//!
//! # What does not cross
//! No future, no waker, no closure, no handle of a runtime, no panic.

#![allow(
    non_local_definitions,
    non_camel_case_types,
    reason = "what the derive macros of abi_stable 0.11 expand to"
)]

pub mod buffer;
pub mod fault;
pub mod frame;
pub mod head;
pub mod line;
#[cfg(feature = "load")]
pub mod load;
pub mod manifest;
pub mod message;
pub mod module;
pub mod port;
pub mod secret;

#[cfg(test)]
mod snapshot;

pub use buffer::Buffer;
pub use fault::{Fault, FaultKind, Side};
pub use manifest::{ABI_VERSION, Manifest};
pub use message::{Kind, Message};
pub use port::{Delivery, Port};
pub use secret::Secret;

#[doc(hidden)]
pub mod __private {
    //! For the macros of this crate only.
    pub use abi_stable;
}

/// What kind of plugin a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PluginRole {
    /// Speaks to a script server.
    Backend,
    /// Speaks to clients.
    Frontend,
}

impl std::fmt::Display for PluginRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PluginRole::Backend => "backend",
            PluginRole::Frontend => "frontend",
        })
    }
}

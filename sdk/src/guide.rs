// In the repository the pages link to files; here, to the modules below. Of two definitions the first one holds.
//!
//! [blocking]: crate::guide::blocking
//! [queues]: crate::guide::queues
//! [identity]: crate::guide::identity
//!
#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/blocking.md")]
pub mod blocking {}

#[doc = include_str!("../docs/queues.md")]
pub mod queues {}

#[doc = include_str!("../docs/identity.md")]
pub mod identity {}

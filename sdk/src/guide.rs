#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/blocking.md")]
pub mod blocking {}

#[doc = include_str!("../docs/queues.md")]
pub mod queues {}

#[doc = include_str!("../docs/identity.md")]
pub mod identity {}

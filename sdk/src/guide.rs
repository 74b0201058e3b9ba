// In the repository the pages link to files; here, to the modules below. Of two definitions the first one holds.
#![doc = "[blocking]: crate::guide::blocking\n[queues]: crate::guide::queues\n[identity]: crate::guide::identity\n\n"]
#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/blocking.md")]
pub mod blocking {}

#[doc = include_str!("../docs/queues.md")]
pub mod queues {}

#[doc = include_str!("../docs/identity.md")]
pub mod identity {}

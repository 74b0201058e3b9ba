//! bluesky's RE Manager as a Patchbay backend.
#![forbid(unsafe_code)]
pub mod backoff;
pub mod config;
pub mod model;
pub mod refusal;
pub mod shape;
pub mod wire;
pub mod zmtp;

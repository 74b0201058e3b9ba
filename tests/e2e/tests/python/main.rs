//! `patchbay client` at a gateway that runs scripts itself: plain Python, with nothing beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod disk;
mod lab;
mod scripts;
mod words;

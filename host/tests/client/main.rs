//! What somebody notices who calls `patchbay client`, also when the other side does not do what it should.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod broken;
mod connecting;
mod peer;
mod person;
mod submitting;
mod terminal;
mod verbs;

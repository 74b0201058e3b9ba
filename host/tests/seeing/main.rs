//! What operators and machines see of a gateway that runs: the real process with real plugins.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod admin;
mod levels;
mod numbers;
mod running;
mod trace;

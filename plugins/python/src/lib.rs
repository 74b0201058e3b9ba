//! Python scripts on this machine, as a Patchbay backend: for a lab without a script server.
//!
//! From the process up: [`worker`] runs scripts in a Python process of its own, [`store`] keeps queue and history on disk,
//! [`board`] is what is known at present, and tells every change, [`foreman`] gives the worker one job after the other,
//! and [`ops`] does what clients ask.
//!
//! A job is on disk before it is acknowledged, and marked there as started before the worker gets it. So whatever is
//! killed where, a script begins once at the most.
#![forbid(unsafe_code)]

pub mod backend;
pub mod board;
pub mod clock;
pub mod config;
pub mod foreman;
pub mod job;
pub mod journal;
pub mod ops;
pub mod store;
pub mod users;
pub mod worker;

pub use backend::Python;
pub use config::Config;

patchbay_sdk::export!(backend = Python);

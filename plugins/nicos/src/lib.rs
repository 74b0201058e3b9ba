//! The NICOS daemon as a Patchbay backend.
//!
//! From the wire up: [`frame`] cuts the byte streams, [`pickle`] reads and writes values, [`lane`] keeps connections and
//! puts one command at a time on them, [`logins`] shares lanes between clients, [`observer`] turns events into the
//! model's, [`jobs`] knows what became of every job, and [`ops`] says each of the model's operations in NICOS's commands.
#![forbid(unsafe_code)]

pub mod auth;
pub mod backend;
pub mod banner;
pub mod config;
pub mod event;
pub mod frame;
pub mod health;
pub mod jobs;
pub mod known;
pub mod lane;
pub mod logins;
mod model;
pub mod observer;
pub mod ops;
pub mod pickle;
pub mod prompts;
pub mod protocol;
pub mod refusal;
pub mod shape;
pub mod translate;
pub mod verb;

pub use backend::Nicos;
pub use config::Config;

patchbay_sdk::export!(backend = Nicos);

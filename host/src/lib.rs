//! The host of Patchbay: it finds and loads plugins, starts the instances of one configuration
//! file, and routes what clients ask through frontends to backends and back. It knows no protocol.
//!
//! Reading order: [`cli`] for what an operator can say, [`run`] for the life of a gateway,
//! [`broker`] for the way of a request and of an event, [`plugin`] for how a file becomes a plugin,
//! [`supervise`] for what happens when an instance fails, [`config`] for the file, [`reload`] and
//! [`staff`] for what changes while everything runs.

#![forbid(unsafe_code)]

pub mod admin;
pub mod audit;
pub mod broker;
pub mod cli;
pub mod config;
pub mod control;
pub mod exit;
pub mod intents;
pub mod logging;
pub mod metrics;
pub mod plugin;
pub mod ports;
pub mod reload;
pub mod run;
pub mod service;
mod signals;
pub mod staff;
pub mod supervise;
pub mod trace;
pub mod users;

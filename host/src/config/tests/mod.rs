//! The configuration as its users meet it.

mod bad;
mod fake;
mod good;
mod hostile;
mod secrets;

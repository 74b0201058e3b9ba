//! The neutral vocabulary of script servers: operations, roles, and the JSON of their values.
//!
//! Frontends translate what their clients say into it, backends translate it into calls of their
//! server. The host knows of it only what stands in [`OPS`].

mod op;
mod role;

pub use op::{OPS, Op, find_op, nearest};
pub use role::Role;

//! The neutral vocabulary of script servers: operations, roles, and the JSON of their values.
//!
//! Frontends translate what their clients say into it, backends translate it into calls of their
//! server. The host knows of it only what stands in [`OPS`].

mod nearest;
mod op;
mod role;
mod support;

pub use nearest::nearest;
pub use op::{OPS, Op, find_op};
pub use role::Role;
pub use support::Support;

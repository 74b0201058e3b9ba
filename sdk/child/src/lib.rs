//! Programs beside the gateway.
//!
//! [`process`] is any program: started in a process group of its own, and ended with all that it has started. [`lines`] and
//! [`environment`] are what goes with that.
//!
//! [`Child`] is one that speaks the messages of the boundary as lines of JSON ([`mod@patchbay_abi::line`]) over its standard
//! input and output; `plugins/process/PROTOCOL.md` is the page for its author. One `Child` is one life of such a program:
//!
//! ```text
//!   plugin --ask, say--> outbox --> stdin  +---------+ stdout --> hearing --> answers, and Heard --> plugin
//!                                          | program |
//!                                          +---------+ stderr --> complaints --> log
//! ```
//! It is never started anew from here: a plugin whose program has ended fails, and the host starts the instance anew, with
//! its backoff and its limit, and logs the clients in again. What a program has been sent is never sent to another one.
#![forbid(unsafe_code)]

mod asked;
mod bounds;
mod child;
mod complaints;
pub mod environment;
mod heard;
mod hearing;
mod life;
pub mod lines;
mod mistake;
mod outbox;
pub mod process;
mod program;
mod rate;

pub use asked::Question;
pub use child::Child;
pub use heard::Heard;
pub use patchbay_abi::{Kind, Message, head};
pub use program::{Program, Settings};

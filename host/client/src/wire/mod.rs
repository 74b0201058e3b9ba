//! The protocol: one JSON object per line, over TCP or a Unix socket.

mod connection;
mod event;
mod line;
mod message;
mod stream;

pub(crate) use connection::{Connection, Failure, Tap};
pub(crate) use event::{Cursor, Event};
pub(crate) use message::Refusal;

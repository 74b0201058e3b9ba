//! What goes to a client.

use bytes::Bytes;
use patchbay_sdk::Fault;
use serde_json::json;

use crate::feed::Follower;
use crate::room::Share;

/// The version of what is spoken here, as `hello` says it.
const PROTOCOL: u32 = 1;

/// One line to a client, and what it means for the writer.
#[derive(Debug)]
pub enum Outgoing {
    /// `hello` or `bye`.
    Notice(String),
    /// An answer, and the room that it takes up.
    Answer(String, Share),
    /// The answer to `subscribe`; events follow.
    Follow(String, Follower),
    /// The answer to `unsubscribe` or `logout`; no more events follow.
    Leave(String),
    /// A private event, with its newline, and the room that it takes up.
    Event(Bytes, Share),
}

impl Outgoing {
    /// The first line of a connection.
    pub fn hello(instance: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let hello = json!({"gateway": "patchbay", "version": version, "protocol": PROTOCOL, "frontend": instance});
        Outgoing::Notice(json!({"hello": hello}).to_string())
    }

    /// The last line of a connection, and why it is the last.
    pub fn bye(why: &Fault) -> Self {
        Outgoing::Notice(json!({"bye": {"kind": why.kind, "message": why.message}}).to_string())
    }

    /// An answer that is short by its making.
    pub fn short(answer: String) -> Self {
        Outgoing::Answer(answer, Share::default())
    }

    /// Whether somebody waits for it.
    pub fn is_answer(&self) -> bool {
        !matches!(self, Outgoing::Notice(_) | Outgoing::Event(..))
    }
}

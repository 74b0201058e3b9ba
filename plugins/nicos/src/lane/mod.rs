//! Connections to the daemon, and the actors that own them.
//!
//! A **link** is one login at the daemon: a command connection and, because the daemon gives up clients that do not take
//! their events, an event connection beside it. A **lane** is an actor that keeps one link up and sends one command at a
//! time over it. Several lanes of one login keep quick commands from waiting behind slow ones.
//!
//! What the daemon's accept loop demands of every connection: it must say something (its 16 bytes of identity, in one
//! segment) at once, must never be reset, and must not be closed within a second of its event connection's opening.
//!
//! Source: NICOS's `nicos/services/daemon/proto/classic.py`, and what daemons were seen to do.

mod actor;
mod connect;
mod daemon;
mod decode;
mod fault;
mod feed;
mod handle;
mod link;
mod pacer;
mod private;
mod probe;
mod room;
mod sort;

pub use daemon::Daemon;
pub use decode::{Decoded, Decoder, refusal_text};
pub use feed::{Feed, Forward, News, NewsReceiver, forward};
pub use handle::{Answer, Lane};
pub use link::{Account, Greeting, Link};
pub use pacer::{Haste, Pacer};
pub use private::{Caller, Private, PrivateFeed, PrivateReceiver, PrivateSender, Whose, privates};
pub use room::{Held, Room};
pub use sort::Sort;

//! ZMTP 3.0, the protocol of 0MQ sockets, as far as a client needs it: a greeting, one READY command, then messages of
//! frames. No I/O.
//!
//! Written here because the crates that exist do not fit into a gateway: `zeromq` 0.7 allocates whatever length a peer
//! announces, so that nine bytes end the process; `zmq` brings libzmq, which is C++ and ends the process at a failed
//! assertion; `rzmq` is not under our licences. What is left out is CURVE, which nobody should write by hand.
//!
//! Source: <https://rfc.zeromq.org/spec/23/>

mod frame;
mod greeting;
mod ready;

pub use frame::{Decoder, encode};
pub use greeting::{GREETING, greeting, read_greeting};
pub use ready::{read_ready, ready};

/// What a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Asks, and is answered, in turn.
    Req,
    /// Is told what others publish.
    Sub,
}

impl Kind {
    /// The name that goes over the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Req => "REQ",
            Kind::Sub => "SUB",
        }
    }

    /// Whether it can speak with a socket of that name.
    #[must_use]
    pub fn suits(self, peer: &str) -> bool {
        match self {
            Kind::Req => matches!(peer, "REP" | "ROUTER"),
            Kind::Sub => matches!(peer, "PUB" | "XPUB"),
        }
    }
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A message, all of its frames.
    Message(Vec<bytes::Bytes>),
    /// A command's body.
    Command(bytes::Bytes),
}

/// What is wrong with what a peer sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZmtpError {
    /// It does not begin as a 0MQ socket does.
    #[error("this is no 0MQ socket; is it the right port?")]
    NotZmtp,
    /// ZMTP 1 or 2.
    #[error("its 0MQ is too old: it speaks ZMTP {0}, and 3 is needed")]
    Version(u8),
    /// It wants CURVE or PLAIN.
    #[error(
        "it wants the security mechanism {0}, and only NULL is offered; see the README on CURVE"
    )]
    Mechanism(String),
    /// A PUB where a REP should be, or the like.
    #[error(
        "it is a {0} socket, which cannot be spoken with here; are the two addresses mixed up?"
    )]
    Socket(String),
    /// It refused the handshake.
    #[error("it refuses: {0}")]
    Refused(String),
    /// Flags, a length or a command that no 0MQ socket sends.
    #[error("what it sends is no 0MQ: {0}")]
    Garbage(&'static str),
    /// A message over the limit.
    #[error(
        "a message of {bytes} bytes or more came, and at most {limit} are read (`frame_limit_bytes`)"
    )]
    TooLarge {
        /// How much was announced.
        bytes: u64,
        /// What is allowed.
        limit: usize,
    },
}

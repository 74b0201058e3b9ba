//! STOMP 1.2 as ActiveMQ speaks it.
//!
//! From the wire inwards: [`scan`] finds whole frames in hostile bytes within limits, [`codec`] hands each head to
//! tokio-stomp's codec and mends what that codec gets wrong, [`connection`] keeps one connection alive, [`target`] says
//! where to and with which login, `tls` keeps it private. Nothing here knows of scripts or sessions.

pub mod codec;
pub mod connection;
pub mod error;
pub mod frame;
pub mod head;
pub mod heartbeat;
pub mod limits;
pub mod outgoing;
mod quickack;
pub mod scan;
mod skip;
mod stage;
pub mod target;
pub mod text;
mod tls;
mod tls_error;
mod tls_files;

pub use codec::GuardCodec;
pub use connection::{Incoming, open};
pub use error::{EncodeError, LinkError, ScanError};
pub use frame::{Body, ClientFrame, ErrorFrame, MessageFrame, ServerEvent};
pub use limits::Limits;
pub use outgoing::Outgoing;
pub use target::{Login, Target};
pub use tls::Tls;
pub use tls_error::TlsError;

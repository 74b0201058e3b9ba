//! How commands, replies and events lie on the wire. All numbers are big-endian.
//!
//! ```text
//! command   05 | code u16 | length u32 | payload
//! reply     06                                 done, nothing to say
//!           03 | length u32 | payload          a value
//!           15 | length u32 | payload          refused; the payload is a text
//! event     03 | code u16 | blobs u8 | length u32 | payload | blobs × (length u32 | bytes)
//!           03 | code u16 | length u32 | payload             before protocol 20
//! ```
//!
//! A frame longer than the limit but not absurdly long is skipped without being kept, so that the connection stays in
//! step; its place is taken by `Oversized`.
//!
//! Source: NICOS's `nicos/protocols/daemon/classic.py` and `nicos/services/daemon/proto/classic.py`.

mod command;
mod event;

use bytes::{Buf, BytesMut};

pub use command::{CommandCodec, CommandFrame, ReplyFrame};
pub use event::{EventCodec, EventFrame};

/// Begins a value, and an event.
const STX: u8 = 0x03;

/// Bytes of a length.
const LENGTH: usize = 4;

/// How long frames may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct FrameLimit {
    /// Of the longest that is kept.
    pub kept: usize,
    /// Of the longest that is skipped; beyond, the peer is not believed.
    pub skipped: usize,
}

/// Sixteen times as many are skipped as are kept, as with the configuration's defaults.
impl From<usize> for FrameLimit {
    fn from(kept: usize) -> Self {
        let skipped = kept.saturating_mul(16);
        Self { kept, skipped }
    }
}

/// Why a connection can be read no further.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A byte that begins no frame: the peer is out of step, or no NICOS daemon.
    #[error("the peer sent 0x{0:02x} where a frame should begin; is it a NICOS daemon?")]
    Header(u8),
    /// A length that is not believed.
    #[error("the peer announced a frame of {length} bytes, far more than the limit of {limit}")]
    TooLong {
        /// What was announced.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
}

fn peek_length(bytes: &BytesMut, at: usize) -> Option<usize> {
    let length = bytes.get(at..at + LENGTH)?;
    Some(u32::from_be_bytes(length.try_into().ok()?) as usize)
}

fn believe(length: usize, limit: FrameLimit) -> Result<(), FrameError> {
    let FrameLimit { kept, skipped } = limit;
    match length > skipped {
        true => Err(FrameError::TooLong {
            length,
            limit: kept,
        }),
        false => Ok(()),
    }
}

fn discard(bytes: &mut BytesMut, left: &mut usize) {
    let now = bytes.len().min(*left);
    bytes.advance(now);
    *left -= now;
}

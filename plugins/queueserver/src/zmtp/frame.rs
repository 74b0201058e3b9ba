//! Frames: a byte of flags, a length of one or eight bytes, and so many bytes.

use bytes::{Buf, Bytes, BytesMut};

use super::{Incoming, ZmtpError};

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;
/// As many frames as any message of an RE Manager may have; it sends two.
const FRAMES_MOST: usize = 16;
/// A command of the handshake is shorter.
const COMMAND_MOST: u64 = 1024;

/// Cuts a stream of bytes into messages and commands. Nothing is allocated for what a length only announces.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    frames: Vec<Bytes>,
    bytes: usize,
}

impl Decoder {
    /// For messages of at most so many bytes, all their frames together.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            frames: Vec::new(),
            bytes: 0,
        }
    }

    /// The next message or command, if all of it is there.
    ///
    /// # Errors
    /// What is wrong with it; the stream cannot be read on after that.
    pub fn take(&mut self, stream: &mut BytesMut) -> Result<Option<Incoming>, ZmtpError> {
        while let Some((flags, length, header)) = head(stream)? {
            self.check(flags, length)?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if stream.len() - header < length {
                return Ok(None);
            }
            stream.advance(header);
            let body = stream.split_to(length).freeze();
            if flags & COMMAND != 0 {
                return Ok(Some(Incoming::Command(body)));
            }
            self.bytes += length;
            self.frames.push(body);
            if flags & MORE == 0 {
                self.bytes = 0;
                return Ok(Some(Incoming::Message(std::mem::take(&mut self.frames))));
            }
        }
        Ok(None)
    }

    fn check(&self, flags: u8, length: u64) -> Result<(), ZmtpError> {
        if flags & COMMAND != 0 {
            return match length > COMMAND_MOST || flags & MORE != 0 {
                true => Err(ZmtpError::Garbage("a command that is too long")),
                false => Ok(()),
            };
        }
        if self.frames.len() >= FRAMES_MOST {
            return Err(ZmtpError::Garbage("a message of too many frames"));
        }
        let bytes = length.saturating_add(self.bytes as u64);
        match bytes > self.limit as u64 {
            true => Err(ZmtpError::TooLarge {
                bytes,
                limit: self.limit,
            }),
            false => Ok(()),
        }
    }
}

/// Flags, length and how long the two are; nothing if they are not there yet.
fn head(stream: &[u8]) -> Result<Option<(u8, u64, usize)>, ZmtpError> {
    let Some((flags, rest)) = stream.split_first() else {
        return Ok(None);
    };
    if flags & !(MORE | LONG | COMMAND) != 0 {
        return Err(ZmtpError::Garbage("unknown flags"));
    }
    if flags & LONG == 0 {
        return Ok(rest.first().map(|length| (*flags, u64::from(*length), 2)));
    }
    let length = rest.first_chunk::<8>();
    Ok(length.map(|length| (*flags, u64::from_be_bytes(*length), 9)))
}

/// Frames as they go over the wire; `command` for a single frame that is one.
#[must_use]
pub fn encode(frames: &[&[u8]], command: bool) -> Vec<u8> {
    let bytes: usize = frames.iter().map(|frame| frame.len() + 9).sum();
    let mut out = Vec::with_capacity(bytes);
    for (at, frame) in frames.iter().enumerate() {
        let more = if at + 1 < frames.len() { MORE } else { 0 };
        let kind = more | if command { COMMAND } else { 0 };
        match u8::try_from(frame.len()) {
            Ok(length) => out.extend_from_slice(&[kind, length]),
            Err(_) => {
                out.push(kind | LONG);
                out.extend_from_slice(&(frame.len() as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(frame);
    }
    out
}

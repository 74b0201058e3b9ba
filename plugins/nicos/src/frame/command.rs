//! Commands and their replies.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::{FrameError, FrameLimit, STX, believe, discard, peek_length};

const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;

const COMMAND_HEADER: usize = 7;
const REPLY_HEADER: usize = 5;

/// A command to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandFrame {
    /// Its number.
    pub code: u16,
    /// Its pickled arguments.
    pub payload: Bytes,
}

/// A reply as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyFrame {
    /// Done; the value is `None`.
    Done,
    /// Done, with a pickled value.
    Value(Bytes),
    /// Refused, with a pickled text.
    Refused(Bytes),
    /// A value or refusal of this many bytes, which was skipped.
    Oversized(usize),
}

/// Sends commands, reads replies.
#[derive(Debug)]
pub struct CommandCodec {
    limit: FrameLimit,
    skipping: Option<Skip>,
}

#[derive(Debug)]
struct Skip {
    left: usize,
    length: usize,
}

impl CommandCodec {
    /// A codec for frames within this limit.
    #[must_use]
    pub fn new(limit: impl Into<FrameLimit>) -> Self {
        Self {
            limit: limit.into(),
            skipping: None,
        }
    }
}

impl Encoder<CommandFrame> for CommandCodec {
    type Error = FrameError;

    fn encode(&mut self, command: CommandFrame, out: &mut BytesMut) -> Result<(), FrameError> {
        let length = command.payload.len();
        let too_long = FrameError::TooLong {
            length,
            limit: self.limit.kept,
        };
        let Some(short) = u32::try_from(length)
            .ok()
            .filter(|_| length <= self.limit.kept)
        else {
            return Err(too_long);
        };
        out.reserve(COMMAND_HEADER + length);
        out.put_u8(ENQ);
        out.put_u16(command.code);
        out.put_u32(short);
        out.put(command.payload);
        Ok(())
    }
}

impl Decoder for CommandCodec {
    type Item = ReplyFrame;
    type Error = FrameError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<ReplyFrame>, FrameError> {
        if let Some(skip) = &mut self.skipping {
            discard(bytes, &mut skip.left);
            let (left, length) = (skip.left, skip.length);
            return Ok((left == 0).then(|| {
                self.skipping = None;
                ReplyFrame::Oversized(length)
            }));
        }
        let Some(&kind) = bytes.first() else {
            return Ok(None);
        };
        match kind {
            ACK => {
                bytes.advance(1);
                Ok(Some(ReplyFrame::Done))
            }
            STX | NAK => self.sized(kind, bytes),
            other => Err(FrameError::Header(other)),
        }
    }
}

impl CommandCodec {
    fn sized(&mut self, kind: u8, bytes: &mut BytesMut) -> Result<Option<ReplyFrame>, FrameError> {
        let Some(length) = peek_length(bytes, 1) else {
            return Ok(None);
        };
        believe(length, self.limit)?;
        if length > self.limit.kept {
            bytes.advance(REPLY_HEADER);
            self.skipping = Some(Skip {
                left: length,
                length,
            });
            return self.decode(bytes);
        }
        if bytes.len() < REPLY_HEADER + length {
            return Ok(None);
        }
        bytes.advance(REPLY_HEADER);
        let payload = bytes.split_to(length).freeze();
        Ok(Some(if kind == STX {
            ReplyFrame::Value(payload)
        } else {
            ReplyFrame::Refused(payload)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies(codec: &mut CommandCodec, bytes: &[u8]) -> Vec<ReplyFrame> {
        let mut buffer = BytesMut::from(bytes);
        std::iter::from_fn(|| codec.decode(&mut buffer).unwrap()).collect()
    }

    #[test]
    fn a_command_is_a_header_and_its_arguments() {
        let mut out = BytesMut::new();
        let command = CommandFrame {
            code: 0x0142,
            payload: Bytes::from_static(b"args"),
        };
        CommandCodec::new(10).encode(command, &mut out).unwrap();
        assert_eq!(&out[..], b"\x05\x01\x42\x00\x00\x00\x04args");
    }

    #[test]
    fn a_command_beyond_the_limit_is_not_sent() {
        let mut out = BytesMut::new();
        let command = CommandFrame {
            code: 3,
            payload: Bytes::from_static(b"too long"),
        };
        assert!(CommandCodec::new(7).encode(command, &mut out).is_err());
        assert!(out.is_empty());
    }

    #[test]
    fn the_three_kinds_of_reply_are_told_apart() {
        let bytes = b"\x06\x03\x00\x00\x00\x02ab\x15\x00\x00\x00\x01c\x06";
        let (value, refused) = (Bytes::from_static(b"ab"), Bytes::from_static(b"c"));
        let expected = [
            ReplyFrame::Done,
            ReplyFrame::Value(value),
            ReplyFrame::Refused(refused),
            ReplyFrame::Done,
        ];
        assert_eq!(replies(&mut CommandCodec::new(10), bytes), expected);
    }

    #[test]
    fn a_reply_may_arrive_byte_by_byte() {
        let mut codec = CommandCodec::new(10);
        let mut buffer = BytesMut::new();
        for byte in b"\x03\x00\x00\x00\x02a" {
            buffer.put_u8(*byte);
            assert_eq!(codec.decode(&mut buffer).unwrap(), None);
        }
        buffer.put_u8(b'b');
        assert_eq!(
            codec.decode(&mut buffer).unwrap(),
            Some(ReplyFrame::Value(Bytes::from_static(b"ab")))
        );
    }

    #[test]
    fn a_reply_over_the_limit_is_skipped_and_the_next_one_is_in_step() {
        let bytes = [&b"\x03\x00\x00\x00\x14"[..], &[7; 20], b"\x06"].concat();
        assert_eq!(
            replies(&mut CommandCodec::new(10), &bytes),
            [ReplyFrame::Oversized(20), ReplyFrame::Done]
        );
    }

    #[test]
    fn an_absurd_length_is_an_error_and_allocates_nothing() {
        let mut buffer = BytesMut::from(&b"\x03\xff\xff\xff\xff"[..]);
        let before = buffer.capacity();
        let error = CommandCodec::new(4 << 20).decode(&mut buffer).unwrap_err();
        assert!(
            matches!(
                error,
                FrameError::TooLong {
                    length: 0xffff_ffff,
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(buffer.capacity(), before);
    }

    #[test]
    fn garbage_is_an_error() {
        let mut buffer = BytesMut::from(&b"HTTP/1.1 400"[..]);
        assert!(matches!(
            CommandCodec::new(10).decode(&mut buffer),
            Err(FrameError::Header(b'H'))
        ));
    }
}

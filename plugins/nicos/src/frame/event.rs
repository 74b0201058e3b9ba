//! Events.

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::Decoder;

use super::{FrameError, FrameLimit, LENGTH, STX, believe, discard, peek_length};
use crate::protocol::Protocol;

/// Bytes before the length: STX and the code, and where there is one the number of blobs.
const BEFORE_LENGTH: usize = 3;

const LIVEPARAMS: u16 = 0x100c;
const LIVEDATA: u16 = 0x100d;

/// An event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFrame {
    /// An event within the limit.
    Event {
        /// Its number.
        code: u16,
        /// Its pickled content.
        payload: Bytes,
        /// Its binary parts.
        blobs: Vec<Bytes>,
    },
    /// An event of more bytes than allowed, which was skipped.
    Oversized {
        /// Its number.
        code: u16,
    },
}

/// Reads events.
///
/// Before protocol 20 a picture came as two events, its description and then its bare bytes, perhaps with others in
/// between. They are made one as later daemons send it: a `livedata` with the description as its content and the bytes
/// as its blob. Bytes without a description come with an empty content, which cannot be read and is counted as such.
#[derive(Debug)]
pub struct EventCodec {
    limit: FrameLimit,
    protocol: Protocol,
    event: Option<Partial>,
    skip: usize,
    /// The description of the bytes that are to come.
    liveparams: Bytes,
}

/// An event of which the header has been read.
#[derive(Debug)]
struct Partial {
    code: u16,
    blobs_left: u8,
    /// Length of the chunk (payload or blob) that comes next, once known.
    next: Option<usize>,
    /// The payload and then the blobs.
    chunks: Vec<Bytes>,
    size: usize,
    oversized: bool,
}

impl EventCodec {
    /// A codec for events within this limit, blobs included.
    #[must_use]
    pub fn new(limit: impl Into<FrameLimit>, protocol: Protocol) -> Self {
        Self {
            limit: limit.into(),
            protocol,
            event: None,
            skip: 0,
            liveparams: Bytes::new(),
        }
    }
}

impl Decoder for EventCodec {
    type Item = EventFrame;
    type Error = FrameError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<EventFrame>, FrameError> {
        loop {
            discard(bytes, &mut self.skip);
            if self.skip > 0 {
                return Ok(None);
            }
            let Some(mut event) = self.event.take() else {
                match self.begin(bytes)? {
                    Some(event) => self.event = Some(event),
                    None => return Ok(None),
                }
                continue;
            };
            if event.next.is_none() && event.blobs_left == 0 {
                match self.finish(event) {
                    Some(event) => return Ok(Some(event)),
                    None => continue,
                }
            }
            let read = self.read_chunk(&mut event, bytes)?;
            self.event = Some(event);
            if !read {
                return Ok(None);
            }
        }
    }
}

impl EventCodec {
    fn begin(&mut self, bytes: &mut BytesMut) -> Result<Option<Partial>, FrameError> {
        let Some(&kind) = bytes.first() else {
            return Ok(None);
        };
        if kind != STX {
            return Err(FrameError::Header(kind));
        }
        let counts_blobs = self.protocol.has_blob_count();
        let Some(length) = peek_length(bytes, BEFORE_LENGTH + usize::from(counts_blobs)) else {
            return Ok(None);
        };
        bytes.advance(1);
        let code = bytes.get_u16();
        let blobs_left = if counts_blobs { bytes.get_u8() } else { 0 };
        bytes.advance(LENGTH);
        let chunks = match code {
            LIVEDATA if !counts_blobs => vec![std::mem::take(&mut self.liveparams)],
            LIVEPARAMS => {
                // Should this one be too long, the one before is not that of the next picture.
                self.liveparams.clear();
                Vec::new()
            }
            _ => Vec::new(),
        };
        Ok(Some(Partial {
            code,
            blobs_left,
            next: Some(length),
            size: chunks.iter().map(Bytes::len).sum(),
            chunks,
            oversized: false,
        }))
    }

    /// The event, unless it only describes bytes that are still to come.
    fn finish(&mut self, event: Partial) -> Option<EventFrame> {
        let event = event.finish();
        if self.protocol.has_blob_count() {
            return Some(event);
        }
        match event {
            EventFrame::Event {
                code: LIVEPARAMS,
                payload,
                ..
            } => {
                self.liveparams = payload;
                None
            }
            event => Some(event),
        }
    }

    /// Reads the next length or chunk; false if there are too few bytes yet.
    fn read_chunk(
        &mut self,
        event: &mut Partial,
        bytes: &mut BytesMut,
    ) -> Result<bool, FrameError> {
        let Some(length) = event.next else {
            event.next = peek_length(bytes, 0);
            if event.next.is_some() {
                bytes.advance(LENGTH);
                event.blobs_left -= 1;
            }
            return Ok(event.next.is_some());
        };
        let size = event.size.saturating_add(length);
        believe(size, self.limit)?;
        if size > self.limit.kept {
            event.oversized = true;
            event.chunks.clear();
        }
        if event.oversized {
            self.skip = length;
        } else if bytes.len() < length {
            return Ok(false);
        } else {
            // A copy, because the original would keep all that was received with it, however short it is itself.
            event.chunks.push(Bytes::copy_from_slice(&bytes[..length]));
            bytes.advance(length);
        }
        event.size = size;
        event.next = None;
        Ok(true)
    }
}

impl Partial {
    fn finish(self) -> EventFrame {
        let mut chunks = self.chunks.into_iter();
        match (self.oversized, chunks.next()) {
            (false, Some(payload)) => EventFrame::Event {
                code: self.code,
                payload,
                blobs: chunks.collect(),
            },
            _ => EventFrame::Oversized { code: self.code },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(limit: usize, bytes: &[u8], step: usize) -> Vec<EventFrame> {
        events_of(Protocol(24), limit, bytes, step)
    }

    fn events_of(protocol: Protocol, limit: usize, bytes: &[u8], step: usize) -> Vec<EventFrame> {
        let mut codec = EventCodec::new(limit, protocol);
        let mut buffer = BytesMut::new();
        let mut events = Vec::new();
        for chunk in bytes.chunks(step) {
            buffer.extend_from_slice(chunk);
            while let Some(event) = codec.decode(&mut buffer).unwrap() {
                events.push(event);
            }
        }
        events
    }

    #[test]
    fn events_carry_blobs_however_the_bytes_arrive() {
        let bytes = b"\x03\x10\x0d\x02\x00\x00\x00\x01p\x00\x00\x00\x02ab\x00\x00\x00\x00\x03\x10\x05\x00\x00\x00\x00\x01q";
        let expected = [event(0x100d, b"p", &[b"ab", b""]), event(0x1005, b"q", &[])];
        for step in [1, 3, bytes.len()] {
            assert_eq!(events(10, bytes, step), expected);
        }
    }

    #[test]
    fn an_event_over_the_limit_is_skipped_with_its_blobs() {
        let bytes = [
            &b"\x03\x10\x0d\x01\x00\x00\x00\x03abc\x00\x00\x00\x0a"[..],
            &[7; 10],
            b"\x03\x10\x05\x00\x00\x00\x00\x01q",
        ]
        .concat();
        for step in [1, 4, bytes.len()] {
            let events = events(10, &bytes, step);
            assert_eq!(events[0], EventFrame::Oversized { code: 0x100d });
            assert!(matches!(&events[1], EventFrame::Event { code: 0x1005, .. }));
        }
    }

    fn event(code: u16, payload: &'static [u8], blobs: &[&'static [u8]]) -> EventFrame {
        EventFrame::Event {
            code,
            payload: Bytes::from_static(payload),
            blobs: blobs.iter().map(|blob| Bytes::from_static(blob)).collect(),
        }
    }

    #[test]
    fn an_old_daemons_picture_is_joined_to_its_description_whatever_comes_between() {
        let bytes = b"\x03\x10\x0c\x00\x00\x00\x01p\x03\x10\x05\x00\x00\x00\x01q\x03\x10\x0d\x00\x00\x00\x02ab\x03\x10\x0d\x00\x00\x00\x01c";
        let expected = [
            event(0x1005, b"q", &[]),
            event(LIVEDATA, b"p", &[b"ab"]),
            // Its description went before the picture that has been told.
            event(LIVEDATA, b"", &[b"c"]),
        ];
        for step in [1, 3, bytes.len()] {
            assert_eq!(events_of(Protocol(19), 10, bytes, step), expected);
        }
    }

    #[test]
    fn a_picture_of_which_the_description_is_over_the_limit_does_not_get_the_one_before() {
        let unused = b"\x03\x10\x0c\x00\x00\x00\x01p";
        let long = [&b"\x03\x10\x0c\x00\x00\x00\x0b"[..], &[7; 11]].concat();
        let data = b"\x03\x10\x0d\x00\x00\x00\x02ab";
        let bytes = [&unused[..], &long, data].concat();
        let expected = [
            EventFrame::Oversized { code: LIVEPARAMS },
            event(LIVEDATA, b"", &[b"ab"]),
        ];
        for step in [1, 4, bytes.len()] {
            assert_eq!(events_of(Protocol(19), 10, &bytes, step), expected);
        }
    }

    #[test]
    fn an_old_daemons_picture_over_the_limit_is_skipped_with_its_description() {
        let params = b"\x03\x10\x0c\x00\x00\x00\x03abc";
        let data = [&b"\x03\x10\x0d\x00\x00\x00\x08"[..], &[7; 8]].concat();
        let bytes = [params, &data[..], &data[..]].concat();
        let expected = [
            EventFrame::Oversized { code: LIVEDATA },
            event(LIVEDATA, b"", &[&[7; 8]]),
        ];
        for step in [1, 4, bytes.len()] {
            assert_eq!(events_of(Protocol(17), 10, &bytes, step), expected);
        }
    }
}

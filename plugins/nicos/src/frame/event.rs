//! Events.

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::Decoder;

use super::{FrameError, LENGTH, STX, believe, discard, peek_length};

const HEADER: usize = 8;

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
#[derive(Debug)]
pub struct EventCodec {
    limit: usize,
    event: Option<Partial>,
    skip: usize,
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
    /// A codec that keeps events of up to `limit` bytes, blobs included.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            event: None,
            skip: 0,
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
                match begin(bytes)? {
                    Some(event) => self.event = Some(event),
                    None => return Ok(None),
                }
                continue;
            };
            if event.next.is_none() && event.blobs_left == 0 {
                return Ok(Some(event.finish()));
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
        if size > self.limit {
            event.oversized = true;
            event.chunks.clear();
        }
        if event.oversized {
            self.skip = length;
        } else if bytes.len() < length {
            return Ok(false);
        } else {
            event.chunks.push(bytes.split_to(length).freeze());
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

fn begin(bytes: &mut BytesMut) -> Result<Option<Partial>, FrameError> {
    let Some(&kind) = bytes.first() else {
        return Ok(None);
    };
    if kind != STX {
        return Err(FrameError::Header(kind));
    }
    let Some(length) = peek_length(bytes, HEADER - LENGTH) else {
        return Ok(None);
    };
    bytes.advance(1);
    let code = bytes.get_u16();
    let blobs_left = bytes.get_u8();
    bytes.advance(LENGTH);
    Ok(Some(Partial {
        code,
        blobs_left,
        next: Some(length),
        chunks: Vec::new(),
        size: 0,
        oversized: false,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    fn events(limit: usize, bytes: &[u8], step: usize) -> Vec<EventFrame> {
        let mut codec = EventCodec::new(limit);
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
        let event = |code, payload: &'static [u8], blobs: &[&'static [u8]]| EventFrame::Event {
            code,
            payload: Bytes::from_static(payload),
            blobs: blobs.iter().map(|blob| Bytes::from_static(blob)).collect(),
        };
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
}

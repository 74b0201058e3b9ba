//! Feeding a codec as the network might.

use bytes::BytesMut;
use tokio_util::codec::Decoder;

/// Longest frame that is kept. Short, so that the fuzzer soon finds longer ones.
pub const LIMIT: usize = 64;

/// The frames, and what ended the stream before its end.
pub type Frames<T> = (Vec<T>, Option<String>);

/// What a codec makes of bytes that come all at once.
pub fn whole<C: Decoder<Error: ToString>>(mut codec: C, bytes: &[u8]) -> Frames<C::Item> {
    let (mut frames, mut buffer) = (Vec::new(), BytesMut::from(bytes));
    let end = drain(&mut codec, &mut buffer, &mut frames);
    (frames, end)
}

/// What it makes of them in pieces: of as many bytes as each piece's first byte says, up to 7.
pub fn in_pieces<C: Decoder<Error: ToString>>(mut codec: C, bytes: &[u8]) -> Frames<C::Item> {
    let (mut frames, mut buffer) = (Vec::new(), BytesMut::new());
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let (piece, after) = rest.split_at(rest.len().min(usize::from(first % 7) + 1));
        rest = after;
        buffer.extend_from_slice(piece);
        if let Some(end) = drain(&mut codec, &mut buffer, &mut frames) {
            return (frames, Some(end));
        }
    }
    (frames, None)
}

fn drain<C: Decoder<Error: ToString>>(
    codec: &mut C,
    buffer: &mut BytesMut,
    frames: &mut Vec<C::Item>,
) -> Option<String> {
    loop {
        match codec.decode(buffer) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return None,
            Err(error) => return Some(error.to_string()),
        }
    }
}

//! Messages as bytes, for a plugin in another process.
//!
//! A frame, integers big-endian:
//! `length u32 | kind u16 | id u64 | flags u8 | head u32+bytes | body u32+bytes | secret u32+bytes
//! (flag 1) | blobs u16 | (blob u32+bytes) …`. `length` counts what follows it.

use crate::{Buffer, Kind, Message, Secret};
use abi_stable::std_types::ROption;

const HAS_SECRET: u8 = 1;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame says that it is longer than allowed.
    #[error("a frame of {length} bytes, the limit is {limit}")]
    TooLong {
        /// What it says.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The parts are longer or shorter than the frame.
    #[error("a frame whose parts do not add up")]
    Malformed,
}

/// Writes one frame.
///
/// # Errors
/// If the message does not fit into `limit`.
pub fn encode(message: &Message, limit: usize) -> Result<Vec<u8>, FrameError> {
    let secret = message.secret.as_ref().map_or("", Secret::expose);
    let length = 27 + message.weight() + secret.len() + 4 * message.blobs.len();
    if length > limit || length > u32::MAX as usize || message.blobs.len() > u16::MAX as usize {
        return Err(FrameError::TooLong { length, limit });
    }
    let mut out = Vec::with_capacity(length + 4);
    out.extend(0u32.to_be_bytes());
    out.extend(message.kind.0.to_be_bytes());
    out.extend(message.id.to_be_bytes());
    out.push(if message.secret.is_some() {
        HAS_SECRET
    } else {
        0
    });
    put(&mut out, &message.head);
    put(&mut out, &message.body);
    if message.secret.is_some() {
        put(&mut out, secret.as_bytes());
    }
    out.extend((message.blobs.len() as u16).to_be_bytes());
    message.blobs.iter().for_each(|blob| put(&mut out, blob));
    let written = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&written.to_be_bytes());
    Ok(out)
}

fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.extend((part.len() as u32).to_be_bytes());
    out.extend(part);
}

/// Reads one frame off the beginning of `bytes`; `None` while it is not all there. With the message
/// comes how many bytes it took.
///
/// # Errors
/// If the frame is longer than `limit` (known as soon as its length is) or does not add up.
pub fn decode(bytes: &[u8], limit: usize) -> Result<Option<(Message, usize)>, FrameError> {
    let Some(prefix) = bytes.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*prefix) as usize;
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    let Some(frame) = bytes.get(4..4 + length) else {
        return Ok(None);
    };
    let message = read(frame).ok_or(FrameError::Malformed)?;
    Ok(Some((message, 4 + length)))
}

fn read(frame: &[u8]) -> Option<Message> {
    let mut rest = frame;
    let kind = Kind(u16::from_be_bytes(take(&mut rest)?));
    let id = u64::from_be_bytes(take(&mut rest)?);
    let [flags] = take(&mut rest)?;
    let head = part(&mut rest)?.to_vec().into();
    let body = part(&mut rest)?.to_vec().into();
    let secret = match flags & HAS_SECRET {
        0 => ROption::RNone,
        _ => ROption::RSome(Secret::new(std::str::from_utf8(part(&mut rest)?).ok()?)),
    };
    let count = u16::from_be_bytes(take(&mut rest)?);
    let blobs = (0..count).map(|_| Some(Buffer::from(part(&mut rest)?.to_vec())));
    let blobs = blobs.collect::<Option<Vec<_>>>()?.into();
    rest.is_empty().then_some(Message {
        kind,
        id,
        head,
        body,
        blobs,
        secret,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(take(rest)?) as usize;
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Message {
        Message::new(Kind::LOGIN, 7, &serde_json::json!({"user": "é"}))
            .body("[1]".to_owned())
            .secret(Secret::new("s"))
            .blobs([Buffer::from(vec![0, 255]), Buffer::empty()])
    }

    #[test]
    fn a_message_comes_back_as_it_went() {
        let bytes = encode(&sample(), 1000).unwrap();
        let (back, used) = decode(&bytes, 1000).unwrap().unwrap();
        assert_eq!(used, bytes.len());
        assert_eq!((back.kind, back.id), (Kind::LOGIN, 7));
        assert_eq!(&*back.head, "{\"user\":\"é\"}".as_bytes());
        assert_eq!(&*back.body, b"[1]");
        assert_eq!(back.secret.as_ref().map_or("", Secret::expose), "s");
        assert_eq!(
            back.blobs.iter().map(|b| b.to_vec()).collect::<Vec<_>>(),
            [vec![0, 255], vec![]]
        );
    }

    #[test]
    fn every_cut_waits_for_more_and_every_wrong_length_is_refused() {
        let bytes = encode(&sample(), 1000).unwrap();
        for cut in 0..bytes.len() {
            assert_eq!(
                decode(&bytes[..cut], 1000).unwrap().map(|_| ()),
                None,
                "cut at {cut}"
            );
        }
        for at in 4..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 0x80;
            let _ = decode(&broken, 1000); // must not panic, whatever it makes of it
        }
        let mut long = bytes.clone();
        long[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(
            decode(&long, 1000),
            Err(FrameError::TooLong { .. })
        ));
        let mut short = bytes;
        short[3] -= 1;
        assert_eq!(decode(&short, 1000).unwrap_err(), FrameError::Malformed);
    }

    #[test]
    fn a_message_over_the_limit_is_not_written() {
        assert!(matches!(
            encode(&sample(), 20),
            Err(FrameError::TooLong { .. })
        ));
    }
}

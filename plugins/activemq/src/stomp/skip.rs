//! Bodies that are too long to be taken, and where they end.

use bytes::{Buf, BytesMut};
use memchr::memchr;

use super::frame::Body;
use super::head::Head;
use super::stage::{Piece, Stage, Step};

/// What a frame of the broker begins with once we are connected.
const COMMANDS: [&[u8]; 3] = [b"MESSAGE\n", b"RECEIPT\n", b"ERROR\n"];
/// More line ends than this behind a NUL are no heart-beats.
const MAX_BEATS: usize = 4_096;

/// Skips a body that is too long by its own account, up to its end or to where the next frame begins.
pub(super) fn skip_counted(src: &mut BytesMut, head: Head, length: u64, mut skipped: u64) -> Step {
    loop {
        let left = usize::try_from(length - skipped).unwrap_or(usize::MAX);
        let within = left.min(src.len());
        let Some(nul) = memchr(0, &src[..within]) else {
            src.advance(within);
            return skipped_all(src, head, length, skipped + within as u64);
        };
        src.advance(nul);
        skipped += nul as u64;
        match follows(src) {
            Follows::Frame => return skip_to_nul(src, head, skipped),
            Follows::Nothing => {
                return Step::Wait(Stage::Skip {
                    head,
                    length: Some(length),
                    skipped,
                    held: true,
                });
            }
            Follows::Other => {
                src.advance(1);
                skipped += 1;
            }
        }
    }
}

/// Of a body that is skipped nothing is left in `src`, or its length has come to an end, if that is one.
fn skipped_all(src: &mut BytesMut, head: Head, length: u64, skipped: u64) -> Step {
    if skipped == length && !src.is_empty() {
        return skip_to_nul(src, head, skipped);
    }
    Step::Wait(Stage::Skip {
        head,
        length: Some(length),
        skipped,
        held: false,
    })
}

/// Takes no memory, however far the NUL is, and must not fail: the broker would deliver the message again.
pub(super) fn skip_to_nul(src: &mut BytesMut, head: Head, skipped: u64) -> Step {
    let Some(end) = memchr(0, src) else {
        let skipped = skipped.saturating_add(src.len() as u64);
        src.clear();
        return Step::Wait(Stage::Skip {
            head,
            length: None,
            skipped,
            held: false,
        });
    };
    src.advance(end + 1);
    Step::Done(Piece::Frame(head, Body::TooLong(skipped + end as u64)))
}

/// What stands behind a NUL.
#[derive(PartialEq)]
pub(super) enum Follows {
    /// Line ends and the begin of a frame: the NUL ends one.
    Frame,
    /// At most line ends, so far.
    Nothing,
    /// Something else: the NUL is part of the body.
    Other,
}

/// Looks at what stands behind the NUL with which `bytes` begin.
pub(super) fn follows(bytes: &[u8]) -> Follows {
    let rest = &bytes[1..];
    let beats = rest
        .iter()
        .take(MAX_BEATS + 1)
        .take_while(|byte| **byte == b'\n')
        .count();
    let next = &rest[beats..];
    if beats > MAX_BEATS || (beats == 0 && !next.is_empty()) {
        return Follows::Other;
    }
    if COMMANDS.iter().any(|command| next.starts_with(command)) {
        Follows::Frame
    } else if COMMANDS.iter().any(|command| command.starts_with(next)) {
        Follows::Nothing
    } else {
        Follows::Other
    }
}

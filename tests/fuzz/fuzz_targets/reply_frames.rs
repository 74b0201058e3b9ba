//! Replies are the same frames however the network cuts them, and none is longer than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_fuzz::{LIMIT, in_pieces, whole};
use patchbay_nicos::frame::{CommandCodec, ReplyFrame};

fuzz_target!(|bytes: &[u8]| {
    let frames = whole(CommandCodec::new(LIMIT), bytes);
    assert_eq!(frames, in_pieces(CommandCodec::new(LIMIT), bytes));
    for frame in frames.0 {
        if let ReplyFrame::Value(payload) | ReplyFrame::Refused(payload) = frame {
            assert!(payload.len() <= LIMIT);
        }
    }
});

//! Events are the same frames however the network cuts them, and none is longer than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_fuzz::{LIMIT, in_pieces, whole};
use patchbay_nicos::frame::{EventCodec, EventFrame};
use patchbay_nicos::protocol::Protocol;

fuzz_target!(|bytes: &[u8]| {
    let frames = whole(EventCodec::new(LIMIT, Protocol(24)), bytes);
    assert_eq!(frames, in_pieces(EventCodec::new(LIMIT, Protocol(24)), bytes));
    for frame in frames.0 {
        if let EventFrame::Event { payload, blobs, .. } = frame {
            let length = payload.len() + blobs.iter().map(|blob| blob.len()).sum::<usize>();
            assert!(length <= LIMIT);
        }
    }
});

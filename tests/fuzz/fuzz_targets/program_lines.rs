//! What a program says is a message that means the same when it is said again, or is refused; and a broken line tells its
//! kind and id at most.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_abi::line::{decode, encode, known};

fuzz_target!(|bytes: &[u8]| {
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(message) = decode(line) else {
            let _ = known(line);
            continue;
        };
        let again = encode(&message).expect("what was one line is one line");
        let (end, text) = again.split_last().expect("a line has an end");
        assert!(*end == b'\n' && !text.contains(&b'\n'));
        let back = decode(text).expect("what is written can be read");
        assert_eq!((back.kind, back.id), (message.kind, message.id));
        assert_eq!((&*back.head, &*back.body), (&*message.head, &*message.body));
        let blobs = |message: &patchbay_abi::Message| -> Vec<Vec<u8>> {
            message.blobs.iter().map(|blob| blob.to_vec()).collect()
        };
        assert_eq!(blobs(&back), blobs(&message));
        assert_eq!(known(line).0, Some(message.kind));
    }
});

//! Lines are the same however the network cuts them, none is longer than the limit, and each is a request that can be
//! answered with one line of JSON.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use patchbay_dialect_json::read;
use patchbay_fuzz::{LIMIT, in_pieces, whole};
use patchbay_socket::line::{Cutter, Line};
use serde_json::Value;
use tokio_util::codec::Decoder;

#[derive(Default)]
struct Lines(Cutter);

impl Decoder for Lines {
    type Item = Line;
    type Error = std::io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> std::io::Result<Option<Line>> {
        Ok(self.0.cut(bytes, LIMIT))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let lines = whole(Lines::default(), bytes);
    assert_eq!(lines, in_pieces(Lines::default(), bytes));
    for line in lines.0 {
        if let Line::Whole(line) = line {
            assert!(line.len() <= LIMIT && !line.contains(&b'\n'));
        }
    }
    for text in bytes.split(|byte| *byte == b'\n') {
        std::str::from_utf8(text).map(answer).unwrap_or_default();
    }
});

fn answer(text: &str) {
    let request = read(text);
    let Err(fault) = request.wish else { return };
    let answer = request.form.failure(&fault);
    assert!(!answer.contains('\n'), "{answer}");
    let value: Value = serde_json::from_str(&answer).expect("an answer is JSON");
    assert!(value.is_object());
}

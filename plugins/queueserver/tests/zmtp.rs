//! The codec, with what no 0MQ socket would send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::BytesMut;
use patchbay_queueserver::zmtp::{Decoder, Incoming, ZmtpError, encode};
use proptest::prelude::*;

fn all(limit: usize, bytes: &[u8]) -> Result<Vec<Incoming>, ZmtpError> {
    let (mut decoder, mut stream) = (Decoder::new(limit), BytesMut::from(bytes));
    let mut found = Vec::new();
    while let Some(incoming) = decoder.take(&mut stream)? {
        found.push(incoming);
    }
    Ok(found)
}

#[test]
fn an_announced_length_is_refused_before_anything_is_allocated() {
    let mut announced = vec![2];
    announced.extend_from_slice(&u64::MAX.to_be_bytes());
    let error = all(1000, &announced).unwrap_err();
    let limit = 1000;
    assert_eq!(
        error,
        ZmtpError::TooLarge {
            bytes: u64::MAX,
            limit
        }
    );
}

#[test]
fn all_frames_of_a_message_count_together() {
    let two = encode(&[&[0; 60], &[0; 60]], false);
    assert!(all(120, &two).is_ok());
    assert!(matches!(all(119, &two), Err(ZmtpError::TooLarge { .. })));
}

#[test]
fn a_message_of_endless_frames_is_refused() {
    let endless = [1, 0].repeat(1000);
    assert!(matches!(all(1 << 20, &endless), Err(ZmtpError::Garbage(_))));
}

#[test]
fn unknown_flags_and_long_commands_are_garbage() {
    assert!(matches!(all(100, &[0x80, 0]), Err(ZmtpError::Garbage(_))));
    let long = encode(&[&[0; 2000]], true);
    assert!(matches!(all(1 << 20, &long), Err(ZmtpError::Garbage(_))));
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back_however_it_is_cut(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 1..5),
        cut in 1usize..50,
    ) {
        let parts: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        let bytes = encode(&parts, false);
        let (mut decoder, mut stream) = (Decoder::new(10_000), BytesMut::new());
        let mut found = Vec::new();
        for piece in bytes.chunks(cut) {
            stream.extend_from_slice(piece);
            found.extend(decoder.take(&mut stream).unwrap());
        }
        let expected: Vec<bytes::Bytes> = frames.into_iter().map(Into::into).collect();
        prop_assert_eq!(found, vec![Incoming::Message(expected)]);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = all(200, &bytes);
    }
}

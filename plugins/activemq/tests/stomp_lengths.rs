//! Where a body ends, whatever a client says of its length.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use bytes::BytesMut;
use patchbay_activemq::stomp::{Body, GuardCodec, ServerEvent};
use support::codec::{HEAD, SMALL, messages, text};
use tokio_util::codec::Decoder;

#[test]
fn a_true_content_length_means_bytes_even_with_nul_inside() {
    let frame = format!("{HEAD}content-length:3\n\na\0b\0\n{HEAD}\nnext\0");
    let found = messages(frame.as_bytes());
    assert_eq!(
        found[0].body,
        Body::Counted(bytes::Bytes::from_static(b"a\0b"))
    );
    assert_eq!(text(&found[1]), "next");
}

#[test]
fn a_content_length_that_is_too_short_is_not_believed() {
    let frame = format!("{HEAD}content-length:2\n\nabcdef\0\n{HEAD}\nnext\0");
    let found = messages(frame.as_bytes());
    assert_eq!(
        found.iter().map(text).collect::<Vec<_>>(),
        ["abcdef", "next"]
    );
}

#[test]
fn a_content_length_that_is_too_long_holds_the_frame_back_until_the_nul_is_believed() {
    for length in [50, 5_000] {
        let mut codec = GuardCodec::new(SMALL);
        let mut buffer = BytesMut::from(&*format!("{HEAD}content-length:{length}\n\nabc\0\n"));
        assert!(codec.decode(&mut buffer).unwrap().is_none());
        assert!(codec.is_doubtful());
        codec.believe_nul();
        let Some(ServerEvent::Message(message)) = codec.decode(&mut buffer).unwrap() else {
            panic!("no message")
        };
        assert_eq!(text(&message), "abc");
        assert!(!codec.is_doubtful());
    }
}

#[test]
fn a_content_length_beyond_all_reason_or_no_number_is_ignored() {
    for length in ["99999999999999999999", "20000", "-1", "ten", ""] {
        let frame = format!("{HEAD}content-length:{length}\n\nabc\0\n");
        assert_eq!(text(&messages(frame.as_bytes())[0]), "abc", "{length}");
    }
}

#[test]
fn a_body_above_the_limit_is_skipped_and_its_headers_arrive() {
    let long = "x".repeat(5_000);
    for header in ["", "content-length:5000\n"] {
        let frame = format!("{HEAD}{header}reply-to:/queue/a\n\n{long}\0\n{HEAD}\nnext\0");
        let found = messages(frame.as_bytes());
        assert_eq!(found[0].body, Body::TooLong(5_000));
        assert_eq!(found[0].header("reply-to"), Some("/queue/a"));
        assert_eq!(found[0].ack.as_deref(), Some("ID:a"));
        assert_eq!(text(&found[1]), "next");
    }
}

#[test]
fn a_body_however_long_takes_no_memory_and_the_next_frame_is_read() {
    let mut codec = GuardCodec::new(SMALL);
    let mut buffer = BytesMut::from(&*format!("{HEAD}\n"));
    for _ in 0..1_000 {
        buffer.extend_from_slice(&[b'x'; 64]);
        assert!(codec.decode(&mut buffer).unwrap().is_none());
        assert!(buffer.len() < 500);
    }
    buffer.extend_from_slice(format!("\0\n{HEAD}\nnext\0").as_bytes());
    let Some(ServerEvent::Message(long)) = codec.decode(&mut buffer).unwrap() else {
        panic!("no message")
    };
    assert_eq!(long.body, Body::TooLong(64_000));
    assert_eq!(long.ack.as_deref(), Some("ID:a"));
    let rest = messages(&buffer);
    assert_eq!(text(&rest[0]), "next");
}

#[test]
fn a_false_length_never_skips_what_comes_from_others() {
    let others = format!("\n\n{HEAD}\nnext\0").repeat(5);
    for (body, arrives) in [("abc".to_owned(), true), ("y".repeat(300), false)] {
        let frame = format!("{HEAD}content-length:9000\n\n{body}\0{others}");
        let found = messages(frame.as_bytes());
        assert_eq!(found.len(), 6);
        assert_eq!(found[0].ack.as_deref(), Some("ID:a"));
        assert_eq!(found[0].body != Body::TooLong(300), arrives);
        assert!(found[1..].iter().all(|message| text(message) == "next"));
    }
}

#[test]
fn a_false_length_beyond_the_limit_is_not_believed_wherever_the_bytes_are_cut() {
    let frame = format!("{HEAD}content-length:900\n\nhello\0");
    let rest = format!("{}{HEAD}\nnext\0", "\n".repeat(150));
    for cut in [1, 120, 150, 155] {
        let mut codec = GuardCodec::new(SMALL);
        let mut buffer = BytesMut::from(&*frame);
        assert!(codec.decode(&mut buffer).unwrap().is_none());
        buffer.extend_from_slice(&rest.as_bytes()[..cut]);
        let mut events = Vec::from_iter(codec.decode(&mut buffer).unwrap());
        buffer.extend_from_slice(&rest.as_bytes()[cut..]);
        while let Some(event) = codec.decode(&mut buffer).unwrap() {
            events.push(event);
        }
        let bodies: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                ServerEvent::Message(message) => Some(text(message)),
                _ => None,
            })
            .collect();
        assert_eq!(bodies, ["hello", "next"], "cut at {cut}");
    }
}

#[test]
fn a_long_body_with_a_false_length_ends_when_nothing_else_comes() {
    let mut codec = GuardCodec::new(SMALL);
    let long = "y".repeat(300);
    let mut buffer = BytesMut::from(&*format!("{HEAD}content-length:9000\n\n{long}\0\n"));
    for _ in 0..10 {
        assert!(codec.decode(&mut buffer).unwrap().is_none());
        assert!(codec.is_doubtful());
        buffer.extend_from_slice(b"\n");
    }
    codec.believe_nul();
    let Some(ServerEvent::Message(message)) = codec.decode(&mut buffer).unwrap() else {
        panic!("no message")
    };
    assert_eq!(message.body, Body::TooLong(300));
}

#[test]
fn long_bytes_may_hold_anything_but_the_begin_of_a_frame() {
    let bytes = "\0\n\0MESS\0\nMESSAGE:\0\n\n\n\0".repeat(20);
    let length = bytes.len();
    let frame = format!("{HEAD}content-length:{length}\n\n{bytes}\0\n{HEAD}\nnext\0");
    let found = messages(frame.as_bytes());
    assert_eq!(found[0].body, Body::TooLong(length as u64));
    assert_eq!(text(&found[1]), "next");
}

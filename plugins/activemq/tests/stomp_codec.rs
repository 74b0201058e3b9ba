//! What the guard codec makes of the broker's bytes, honest and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use bytes::BytesMut;
use patchbay_activemq::stomp::{
    ClientFrame, EncodeError, GuardCodec, Limits, LinkError, ServerEvent,
};
use proptest::prelude::*;
use support::codec::{HEAD, SMALL, messages, read_all, text};
use tokio_util::codec::{Decoder, Encoder};

fn written(frame: ClientFrame) -> String {
    let mut bytes = BytesMut::new();
    GuardCodec::new(SMALL).encode(frame, &mut bytes).unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn received_headers_are_unescaped_and_the_first_of_a_repeated_one_counts() {
    let frame = format!(
        "{HEAD}reply-to:/remote-temp-queue/ID\\ch\\c1\nreply-to:/queue/other\nx:a\\\\b\\nc\n\n{{}}\0\n"
    );
    let message = &messages(frame.as_bytes())[0];
    assert_eq!(message.header("message-id"), Some("ID:h-1:1"));
    assert_eq!(message.ack.as_deref(), Some("ID:a"));
    assert_eq!(
        message.header("reply-to"),
        Some("/remote-temp-queue/ID:h:1")
    );
    assert_eq!(message.header("x"), Some("a\\b\nc"));
    assert_eq!(text(message), "{}");
}

#[test]
fn an_acknowledged_id_goes_back_as_it_came() {
    assert_eq!(
        written(ClientFrame::ack("ID:h-1:1")),
        "ACK\nid:ID\\ch-1\\c1\n\n\0"
    );
}

#[test]
fn any_number_of_line_ends_between_frames_are_heart_beats() {
    let events = read_all(format!("\n\n\r\n{HEAD}\na\0\n\n").as_bytes(), SMALL).unwrap();
    let beats = events
        .iter()
        .filter(|event| matches!(event, ServerEvent::HeartBeat))
        .count();
    assert_eq!((events.len(), beats), (6, 5));
}

#[test]
fn a_text_is_sent_with_its_headers_and_without_a_content_length() {
    let frame = ClientFrame::send("/remote-temp-queue/ID:h:1", "{\"a\":1}")
        .header("correlation-id", "c:\\1\n")
        .header("persistent", "true")
        .receipt("r-1");
    let expected = "SEND\ndestination:/remote-temp-queue/ID\\ch\\c1\ncorrelation-id:c\\c\\\\1\\n\npersistent:true\nreceipt:r-1\n\n{\"a\":1}\0";
    assert_eq!(written(frame), expected);
}

#[test]
fn a_subscription_carries_what_activemq_wants_to_know() {
    let frame = ClientFrame::subscribe_individually("/queue/ss_admin", "requests")
        .header("activemq.prefetchSize", "50");
    let expected = "SUBSCRIBE\ndestination:/queue/ss_admin\nid:requests\nack:client-individual\nactivemq.prefetchSize:50\n\n\0";
    assert_eq!(written(frame), expected);
}

#[test]
fn a_header_that_the_broker_would_hang_up_on_is_not_sent() {
    let frame = ClientFrame::send("/queue/q", "").header("correlation-id", "x".repeat(10_300));
    let error = GuardCodec::new(SMALL)
        .encode(frame, &mut BytesMut::new())
        .unwrap_err();
    assert!(
        matches!(error, LinkError::Frame(EncodeError::HeaderTooLong { .. })),
        "{error}"
    );
    let frame = ClientFrame::send("x".repeat(10_300), "");
    assert!(
        GuardCodec::new(SMALL)
            .encode(frame, &mut BytesMut::new())
            .is_err()
    );
    let frame = ClientFrame::send("/queue/q", "a\0b");
    assert!(
        GuardCodec::new(SMALL)
            .encode(frame, &mut BytesMut::new())
            .is_err()
    );
}

#[test]
fn a_message_with_two_acks_or_subscriptions_is_not_believed_but_can_be_acknowledged() {
    for forged in ["ack:x", "subscription:x"] {
        let frame = format!("{}{forged}\n\nx\0", HEAD);
        let events = read_all(frame.as_bytes(), SMALL).unwrap();
        let ServerEvent::Unusable {
            subscriptions,
            acks,
            ..
        } = &events[0]
        else {
            panic!("{events:?}")
        };
        assert!(acks.contains(&"ID:a".to_owned()));
        assert!(subscriptions.contains(&"requests".to_owned()));
        assert_eq!(acks.len() + subscriptions.len(), 3);
    }
}

#[test]
fn a_header_without_end_takes_no_memory_and_ends_the_connection_at_the_frame_limit() {
    let mut codec = GuardCodec::new(SMALL);
    let mut buffer = BytesMut::from("MESSAGE\nx:");
    let mut fed = 0;
    while codec.decode(&mut buffer).is_ok() {
        buffer.extend_from_slice(&[b'x'; 64]);
        fed += 64;
        assert!(buffer.len() < 500 && fed < 20_000);
    }
}

#[test]
fn a_megabyte_of_header_costs_the_message_only_that_header() {
    let mut bytes = HEAD
        .replace("ack:", &format!("big:{}\nack:", "x".repeat(1 << 20)))
        .into_bytes();
    bytes.extend_from_slice(b"\nabc\0");
    let events = read_all(&bytes, Limits::default()).unwrap();
    let ServerEvent::Message(message) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (message.header("big"), message.ack.as_deref()),
        (None, Some("ID:a"))
    );
}

#[test]
fn a_client_that_fills_the_head_with_properties_cannot_push_the_ack_out() {
    let many: String = (0..1_000)
        .map(|n| format!("p{n}:{}\n", "v".repeat(50)))
        .collect();
    let frame = format!("MESSAGE\n{many}{}\nabc\0", &HEAD["MESSAGE\n".len()..]);
    let limits = Limits {
        frame: 1 << 20,
        ..SMALL
    };
    let events = read_all(frame.as_bytes(), limits).unwrap();
    let ServerEvent::Message(message) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(message.ack.as_deref(), Some("ID:a"));
    assert!(message.headers.len() < 30);
}

#[test]
fn header_lines_that_are_none_cost_nobody_the_message() {
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend_from_slice(b"no colon\n:no name\nack\r:forged\nplain:v\ra\nbad:\xff\xed\xa0\xbd\xed\xb8\x80\nempty:\n\nabc\0");
    let events = read_all(&bytes, SMALL).unwrap();
    let ServerEvent::Message(message) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(message.header("bad"), Some("\u{fffd}\u{1f600}"));
    assert_eq!(message.header("empty"), Some(""));
    assert_eq!(message.ack.as_deref(), Some("ID:a"));
    assert_eq!(message.header("plain"), Some("v\ra"));
}

#[test]
fn a_frame_that_cannot_be_used_is_named_and_the_next_one_is_read() {
    let frames = format!(
        "MESSAGE\ndestination:/queue/q\nmessage-id:1\nack:a\\c1\n\nx\0\nBROWSE\n\n\0\n{HEAD}\nnext\0"
    );
    let events = read_all(frames.as_bytes(), SMALL).unwrap();
    let ServerEvent::Unusable { reason, acks, .. } = &events[0] else {
        panic!("{events:?}")
    };
    assert!(reason.contains("subscription"), "{reason}");
    assert_eq!(*acks, ["a:1"]);
    assert!(events.iter().any(
        |event| matches!(event, ServerEvent::Unusable { reason, .. } if reason.contains("BROWSE"))
    ));
    assert!(matches!(events.last(), Some(ServerEvent::Message(_))));
}

#[test]
fn an_error_frame_tells_its_receipt_and_only_the_first_line_of_the_java_trace() {
    let frame = "ERROR\nmessage:temp-queue\\c//ID\\ch\\c1\nreceipt-id:r-7\ncontent-type:text/plain\n\njava.lang.X: gone\n\tat a.b.C\0";
    let events = read_all(frame.as_bytes(), SMALL).unwrap();
    let ServerEvent::Error(error) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(error.message, "temp-queue://ID:h:1");
    assert_eq!(error.detail, "java.lang.X: gone");
    assert_eq!(error.receipt.as_deref(), Some("r-7"));
}

#[test]
fn bodies_are_never_shown_in_debug_output() {
    let frame = format!("{HEAD}\ns3cret\0");
    assert!(!format!("{:?}", messages(frame.as_bytes())[0]).contains("s3cret"));
    assert!(!format!("{:?}", ClientFrame::send("/queue/q", "s3cret")).contains("s3cret"));
}

proptest! {
    #[test]
    fn frames_read_the_same_however_the_bytes_are_cut(cuts in proptest::collection::vec(1usize..40, 1..40)) {
        let long = "y".repeat(300);
        let stream = format!(
            "\n{HEAD}\nfirst\0\n{HEAD}content-length:3\n\na\0b\0\n{HEAD}\n{long}\0\n{HEAD}content-length:300\n\n{long}\0\nRECEIPT\nreceipt-id:r\n\n\0\n"
        );
        let whole: Vec<_> = read_all(stream.as_bytes(), SMALL).unwrap().iter().map(|e| format!("{e:?}")).collect();
        let mut codec = GuardCodec::new(SMALL);
        let (mut buffer, mut parts, mut at) = (BytesMut::new(), Vec::new(), 0);
        for cut in cuts.iter().cycle() {
            let end = (at + cut).min(stream.len());
            buffer.extend_from_slice(&stream.as_bytes()[at..end]);
            while let Some(event) = codec.decode(&mut buffer).unwrap() {
                parts.push(format!("{event:?}"));
            }
            at = end;
            if at == stream.len() { break; }
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn no_bytes_make_the_codec_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_all(&bytes, SMALL);
    }

    #[test]
    fn no_head_makes_the_codec_panic(lines in proptest::collection::vec("[A-Z:\\\\a-z\r\0-]{0,12}", 0..12)) {
        let _ = read_all(format!("{}\n\nbody\0", lines.join("\n")).as_bytes(), SMALL);
    }
}

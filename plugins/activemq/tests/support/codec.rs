//! The guard codec with narrow limits.

use bytes::BytesMut;
use patchbay_activemq::stomp::{Body, GuardCodec, Limits, LinkError, MessageFrame, ServerEvent};
use tokio_util::codec::Decoder;

pub const SMALL: Limits = Limits {
    header_line: 200,
    head: 600,
    body: 100,
    frame: 10_000,
};
pub const HEAD: &str =
    "MESSAGE\ndestination:/queue/q\nmessage-id:ID\\ch-1\\c1\nsubscription:requests\nack:ID\\ca\n";

pub fn read_all(bytes: &[u8], limits: Limits) -> Result<Vec<ServerEvent>, LinkError> {
    let mut codec = GuardCodec::new(limits);
    let mut buffer = BytesMut::from(bytes);
    let mut events = Vec::new();
    while let Some(event) = codec.decode(&mut buffer)? {
        events.push(event);
    }
    Ok(events)
}

pub fn messages(bytes: &[u8]) -> Vec<MessageFrame> {
    let events = read_all(bytes, SMALL).unwrap();
    let message = |event| match event {
        ServerEvent::Message(message) => Some(*message),
        _ => None,
    };
    events.into_iter().filter_map(message).collect()
}

pub fn text(message: &MessageFrame) -> &str {
    match &message.body {
        Body::Text(bytes) => std::str::from_utf8(bytes).unwrap(),
        other => panic!("not a text: {other:?}"),
    }
}

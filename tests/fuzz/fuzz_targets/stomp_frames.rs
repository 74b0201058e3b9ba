//! What the broker passes on from its clients is the same frames however the network cuts them, none longer than the limits;
//! little of it is kept for later, and a doubt is over once it is decided.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use patchbay_activemq::stomp::{Body, GuardCodec, Limits, LinkError, ServerEvent};
use patchbay_fuzz::{LIMIT, in_pieces, whole};
use tokio_util::codec::Decoder;

const LIMITS: Limits = Limits {
    header_line: LIMIT,
    head: 2 * LIMIT,
    body: LIMIT,
    frame: 16 * LIMIT as u64,
};
/// Behind the end of a body that is skipped there may be so many heart-beats, and the begin of a frame.
const KEPT: usize = 4_096 + 16;

/// The codec, with its events as text: they cannot be compared, and their `Debug` hides the bodies.
struct Described(GuardCodec);

impl Decoder for Described {
    type Item = String;
    type Error = LinkError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<String>, LinkError> {
        let event = self.0.decode(src)?;
        if event.is_none() {
            assert!(src.len() <= KEPT, "{} bytes are kept", src.len());
        }
        Ok(event.map(|event| describe(&event)))
    }
}

fn describe(event: &ServerEvent) -> String {
    let ServerEvent::Message(message) = event else {
        return format!("{event:?}");
    };
    let mut headers = message.headers.clone();
    headers.sort();
    let body = match &message.body {
        Body::Text(bytes) | Body::Counted(bytes) => {
            assert!(bytes.len() <= LIMIT);
            format!("{:?} {bytes:?}", message.body)
        }
        Body::TooLong(_) => format!("{:?}", message.body),
    };
    format!("{message:?} {headers:?} {:?} {body}", message.ack)
}

fn decide(bytes: &[u8]) {
    let mut codec = GuardCodec::new(LIMITS);
    let mut buffer = BytesMut::from(bytes);
    while let Ok(Some(_)) = codec.decode(&mut buffer) {}
    while codec.is_doubtful() {
        let before = buffer.len();
        codec.believe_nul();
        let decided = codec.decode(&mut buffer);
        assert!(matches!(decided, Ok(Some(_))) && buffer.len() < before);
        while let Ok(Some(_)) = codec.decode(&mut buffer) {}
    }
}

fuzz_target!(|bytes: &[u8]| {
    let codec = || Described(GuardCodec::new(LIMITS));
    assert_eq!(whole(codec(), bytes), in_pieces(codec(), bytes));
    decide(bytes);
});

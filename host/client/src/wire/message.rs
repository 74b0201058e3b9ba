//! What a line from the gateway says.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::event::Event;

/// A line from the gateway.
#[derive(Debug)]
pub(super) enum Message {
    Hello(Hello),
    /// To the request of that number; without one it is to something that the gateway could not read.
    Answer(Option<u64>, Result<Value, Refusal>),
    Event(Event),
    Bye(Refusal),
    /// Something newer than this client.
    Other,
}

/// The first line of a connection.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    pub(super) gateway: String,
    #[serde(default)]
    pub(super) version: String,
    pub(super) protocol: u64,
}

/// Why the gateway does not do something.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) kind: String,
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct Line {
    id: Option<Value>,
    #[serde(default, deserialize_with = "even_null")]
    ok: Option<Value>,
    error: Option<Refusal>,
    event: Option<Event>,
    hello: Option<Hello>,
    bye: Option<Refusal>,
}

/// `null` is the answer of most operations, and not the absence of one.
fn even_null<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

impl Message {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is no JSON object of the expected shape.
    pub(super) fn read(line: &[u8]) -> serde_json::Result<Self> {
        let line: Line = serde_json::from_slice(line)?;
        let id = line.id.and_then(|id| id.as_u64());
        Ok(if let Some(event) = line.event {
            Self::Event(event)
        } else if let Some(answer) = line.ok {
            Self::Answer(id, Ok(answer))
        } else if let Some(refusal) = line.error {
            Self::Answer(id, Err(refusal))
        } else if let Some(hello) = line.hello {
            Self::Hello(hello)
        } else if let Some(bye) = line.bye {
            Self::Bye(bye)
        } else {
            Self::Other
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Message {
        Message::read(line.as_bytes()).unwrap()
    }

    #[test]
    fn each_kind_of_line_is_told_apart() {
        let done = read(r#"{"id":1,"ok":null}"#);
        assert!(matches!(done, Message::Answer(Some(1), Ok(Value::Null))));
        let refused = r#"{"id":2,"error":{"kind":"busy","message":"later","retry":true}}"#;
        assert!(matches!(read(refused), Message::Answer(Some(2), Err(_))));
        let event = read(r#"{"event":{"kind":"log","body":{}}}"#);
        assert!(matches!(event, Message::Event(_)));
        let hello = read(r#"{"hello":{"gateway":"patchbay","protocol":1}}"#);
        assert!(matches!(hello, Message::Hello(_)));
        let bye = read(r#"{"bye":{"kind":"idle","message":"so long"}}"#);
        assert!(matches!(bye, Message::Bye(_)));
        assert!(matches!(read(r#"{"something":"new"}"#), Message::Other));
        assert!(Message::read(b"HTTP/1.1 400 Bad Request").is_err());
    }
}

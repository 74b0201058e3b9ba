//! What the JMS client process tells, one JSON line each.

use serde::Deserialize;

/// One line.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Line {
    Started,
    Done { id: u64 },
    Failed { id: u64, message: String },
    Message(Received),
    Ibex(IbexEvent),
    Lost { client: String, reason: String },
    Unreadable { message: String },
}

/// A message that a client received.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Received {
    /// The client.
    pub client: String,
    /// JMSCorrelationID.
    pub correlation: Option<String>,
    /// `text`, `bytes` or `other`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The text; of bytes one character per byte (Latin-1).
    pub text: Option<String>,
    /// JMSReplyTo, as in `temp-queue://ID:…`.
    pub reply_to: Option<String>,
    /// Where it arrived, as in `topic://ss_admin.events.log`.
    pub destination: String,
    /// JMSMessageID.
    pub message_id: String,
    /// Whether it was sent to survive a broker's restart.
    pub persistent: bool,
    /// JMSPriority.
    pub priority: u8,
    /// JMSExpiration: unix time in milliseconds, 0 for never.
    pub expires: i64,
    /// JMSRedelivered.
    pub redelivered: bool,
    /// When it arrived, in nanoseconds of the client process's own clock.
    pub at_ns: i64,
}

/// Something that befell a client in IBEX mode.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IbexEvent {
    /// The client.
    pub client: String,
    /// What happened.
    pub what: IbexWhat,
    /// Which of its requests is meant: `authenticate` or `queue`.
    pub request: Option<String>,
    /// The request's correlation id.
    pub correlation: Option<String>,
    /// The answer's text, or why it is `unconnected` or `deaf`.
    pub text: Option<String>,
}

/// What happens to a client in IBEX mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IbexWhat {
    /// A request is on its way.
    Sent,
    /// A request's answer came.
    Answered,
    /// A message came that answers nothing it waits for, or came too early; the real client shows nothing.
    Ignored,
    /// It has no broker; it tries again each second.
    Unconnected,
    /// A message that is no text ended its reading for ever.
    Deaf,
}

/// Anything that a client may wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message came.
    Message(Received),
    /// A client in IBEX mode tells what it does.
    Ibex(IbexEvent),
    /// A client's connection to the broker broke.
    Lost {
        /// The client.
        client: String,
        /// The JMS library's words.
        reason: String,
    },
    /// A text that the JMS library could not decode.
    Unreadable(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_line_is_read() {
        let line = r#"{"event":"message","client":"c","correlation":"1","type":"text","text":"hi","destination":"queue://q",
            "message_id":"m","persistent":false,"priority":4,"expires":0,"redelivered":false,"at_ns":5}"#;
        let Line::Message(received) = serde_json::from_str(line).unwrap() else {
            panic!("not a message");
        };
        assert_eq!(
            (received.kind.as_str(), received.text.as_deref()),
            ("text", Some("hi"))
        );
    }

    #[test]
    fn an_ibex_line_is_read() {
        let line = r#"{"event":"ibex","client":"c","what":"deaf","request":null,"correlation":null,"text":"x"}"#;
        let Line::Ibex(event) = serde_json::from_str(line).unwrap() else {
            panic!("not ibex")
        };
        assert_eq!(event.what, IbexWhat::Deaf);
    }
}

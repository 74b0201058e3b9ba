//! Frames as the rest of the plugin sees them.

use std::fmt;

use bytes::Bytes;
use tokio_stomp::{AckMode, ToServer};

use super::head::Name;
use super::text::decode;

/// What arrives from the broker.
#[derive(Debug)]
pub enum ServerEvent {
    /// An end of line between frames: the broker is alive.
    HeartBeat,
    /// The login was accepted; the value is the broker's `heart-beat` header.
    Connected {
        /// `sx,sy` in milliseconds, if the broker said so.
        heart_beat: Option<String>,
        /// Such as `ActiveMQ/5.17.2`.
        server: Option<String>,
        /// With ActiveMQ the connection's id, which the names of its temporary queues begin with.
        session: Option<String>,
    },
    /// A message of a subscription.
    Message(Box<MessageFrame>),
    /// A frame with this `receipt` header was processed.
    Receipt(String),
    /// Something went wrong; with ActiveMQ most of these leave the connection open.
    Error(ErrorFrame),
    /// A frame that cannot be used, such as a MESSAGE without `subscription`. The stream goes on.
    Unusable {
        /// What is wrong with it.
        reason: String,
        /// All `subscription` headers, unescaped.
        subscriptions: Vec<String>,
        /// All `ack` headers, unescaped: a message that is not acknowledged comes again.
        acks: Vec<String>,
    },
}

/// The body of a received message.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// No usable `content-length`: what JMS calls a TextMessage (or a Map, Object or plain one, which come empty).
    Text(Bytes),
    /// With a true `content-length`: what JMS calls a BytesMessage.
    Counted(Bytes),
    /// Longer than the limit and skipped; the length in bytes.
    TooLong(u64),
}

/// A message. Header values are unescaped; of a repeated header the first counts.
pub struct MessageFrame {
    /// Which of our subscriptions it belongs to. ActiveMQ sets it last, so that a property cannot change it. A frame
    /// that a client has hidden in its own (behind a NUL) can say anything, but does not know our subscriptions' ids.
    pub subscription: String,
    /// What ACK must carry; set last, too.
    pub ack: Option<String>,
    /// The other headers; any of them may be forged by the sender.
    pub headers: Vec<(Name, String)>,
    /// The body.
    pub body: Body,
}

/// An ERROR frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorFrame {
    /// The `message` header.
    pub message: String,
    /// The first line of the body; the rest is a Java stack trace.
    pub detail: String,
    /// The receipt that the failed frame asked for.
    pub receipt: Option<String>,
}

/// A frame to the broker: tokio-stomp's, with the headers and the text that tokio-stomp cannot write.
#[derive(Debug, Clone)]
pub struct ClientFrame {
    pub(super) content: ToServer,
    pub(super) extra: Vec<(&'static str, String)>,
    pub(super) text: Option<Text>,
}

/// The text of a SEND; its Debug shows the length only.
#[derive(Clone)]
pub(super) struct Text(pub(super) String);

impl ClientFrame {
    /// A TextMessage to `destination`. Never with a `content-length`, which would make it a BytesMessage.
    pub fn send(destination: impl Into<String>, text: impl Into<String>) -> Self {
        let content = ToServer::Send {
            destination: destination.into(),
            transaction: None,
            body: None,
        };
        Self {
            text: Some(Text(text.into())),
            ..Self::from(content)
        }
    }

    /// A subscription whose messages are acknowledged one by one.
    pub fn subscribe_individually(destination: impl Into<String>, id: impl Into<String>) -> Self {
        Self::subscription(destination.into(), id.into(), AckMode::ClientIndividual)
    }

    /// A subscription without acknowledgements.
    pub fn subscribe(destination: impl Into<String>, id: impl Into<String>) -> Self {
        Self::subscription(destination.into(), id.into(), AckMode::Auto)
    }

    /// Ends a subscription. What was not acknowledged goes back to the queue.
    pub fn unsubscribe(id: impl Into<String>) -> Self {
        Self::from(ToServer::Unsubscribe { id: id.into() })
    }

    /// Acknowledges one message by its `ack` header.
    pub fn ack(id: impl Into<String>) -> Self {
        Self::from(ToServer::Ack {
            id: id.into(),
            transaction: None,
        })
    }

    /// Says good-bye; the broker answers with the receipt and closes.
    pub fn disconnect(receipt: impl Into<String>) -> Self {
        Self::from(ToServer::Disconnect {
            receipt: Some(receipt.into()),
        })
    }

    /// Adds a header; tokio-stomp alone would drop it.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.extra.push((name, value.into()));
        self
    }

    /// Asks for a RECEIPT.
    #[must_use]
    pub fn receipt(self, id: impl Into<String>) -> Self {
        self.header("receipt", id)
    }

    fn subscription(destination: String, id: String, ack: AckMode) -> Self {
        Self::from(ToServer::Subscribe {
            destination,
            id,
            ack: Some(ack),
        })
    }
}

impl From<ToServer> for ClientFrame {
    fn from(content: ToServer) -> Self {
        Self {
            content,
            extra: Vec::new(),
            text: None,
        }
    }
}

impl MessageFrame {
    /// A header, unescaped.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }

    /// A header that is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.header(name) == Some("true")
    }
}

impl ErrorFrame {
    /// The name of the temporary queue that it says does not exist.
    pub fn gone_queue(&self) -> Option<&str> {
        let name = ["temp-queue://", "temp-topic://"]
            .iter()
            .find_map(|prefix| self.message.strip_prefix(prefix));
        name.filter(|_| {
            self.detail.contains("does not exist") || self.detail.contains("DoesNotExist")
        })
    }
}

impl Body {
    /// The first line as text, for log lines and matching.
    pub fn first_line(&self) -> String {
        match self {
            Self::Text(bytes) | Self::Counted(bytes) => {
                let line = bytes
                    .split(|byte| *byte == b'\n')
                    .next()
                    .unwrap_or_default();
                decode(&line[..line.len().min(500)]).into_owned()
            }
            Self::TooLong(_) => String::new(),
        }
    }
}

/// Length only: a body may hold a password.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(bytes) => write!(f, "Text({} bytes)", bytes.len()),
            Self::Counted(bytes) => write!(f, "Counted({} bytes)", bytes.len()),
            Self::TooLong(length) => write!(f, "TooLong({length} bytes)"),
        }
    }
}

impl fmt::Debug for MessageFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageFrame")
            .field("subscription", &self.subscription)
            .field("message-id", &self.header("message-id"))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_queue_that_does_not_exist_is_gone() {
        let error = |message: &str, detail: &str| ErrorFrame {
            message: message.into(),
            detail: detail.into(),
            receipt: None,
        };
        let detail = "javax.jms.InvalidDestinationException: The destination temp-queue://ID:h:1 does not exist.";
        let gone = error("temp-queue://ID:h:1", detail);
        assert_eq!(gone.gone_queue(), Some("ID:h:1"));
        let refused = "User gw is not authorized to write to: temp-queue://ID:h:1";
        assert_eq!(error(refused, "").gone_queue(), None);
    }
}

//! What is said to the JMS client process, as words of a line.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How a client connects to the broker.
#[derive(Debug, Clone)]
pub struct Connect {
    uri: String,
    login: Option<(String, String)>,
    queue: String,
}

impl Connect {
    /// Without a login, sending its requests to the queue `ss_admin`.
    pub fn to(broker: SocketAddr) -> Self {
        Self {
            uri: format!("tcp://{broker}"),
            login: None,
            queue: "ss_admin".into(),
        }
    }

    /// Comes back by itself, with the same temporary queue, after the broker was away.
    pub fn failover(mut self) -> Self {
        self.uri = format!("failover:({})?maxReconnectDelay=500", self.uri);
        self
    }

    /// A client that compresses its messages' bodies.
    pub fn compressed(mut self) -> Self {
        self.uri.push_str("?jms.useCompression=true");
        self
    }

    /// As [`Connect::failover`], but to whichever of the two brokers works, this one first.
    pub fn failover_to(mut self, other: SocketAddr) -> Self {
        self.uri = format!(
            "failover:({},tcp://{other})?randomize=false&maxReconnectDelay=500",
            self.uri
        );
        self
    }

    /// Logs in to the broker.
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Sends its requests to another queue.
    pub fn queue(mut self, queue: &str) -> Self {
        self.queue = queue.to_owned();
        self
    }

    pub(super) fn words(&self) -> String {
        let none = ("-".to_owned(), "-".to_owned());
        let (user, password) = self.login.as_ref().unwrap_or(&none);
        format!("{} {user} {password} {}", self.uri, self.queue)
    }
}

/// Where a request's answer is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyTo {
    /// The client's temporary queue.
    Temporary,
    /// An ordinary queue.
    Queue(String),
    /// A topic.
    Topic(String),
    /// Nowhere is named.
    Nothing,
}

/// A request to be sent; a plain one is a TextMessage, not persistent, with the client's temporary queue to reply to.
#[derive(Debug, Clone)]
pub struct Message {
    correlation: Option<String>,
    body: Vec<u8>,
    options: Vec<String>,
}

impl Message {
    /// A TextMessage.
    pub fn text(text: &str) -> Self {
        Self {
            correlation: None,
            body: text.as_bytes().to_vec(),
            options: Vec::new(),
        }
    }

    /// A TextMessage that has no text at all.
    pub fn empty() -> Self {
        Self::text("").option("type=empty")
    }

    /// A BytesMessage.
    pub fn bytes(body: &[u8]) -> Self {
        let text = Self::text("").option("type=bytes");
        Self {
            body: body.to_vec(),
            ..text
        }
    }

    /// With a correlation id (no spaces).
    pub fn correlation(mut self, id: &str) -> Self {
        self.correlation = Some(id.to_owned());
        self
    }

    /// With another place to reply to.
    pub fn reply_to(self, reply: &ReplyTo) -> Self {
        match reply {
            ReplyTo::Temporary => self.option("reply=temp"),
            ReplyTo::Queue(name) => self.option(&format!("reply=queue:{name}")),
            ReplyTo::Topic(name) => self.option(&format!("reply=topic:{name}")),
            ReplyTo::Nothing => self.option("reply=none"),
        }
    }

    /// To a destination as [`super::Received::reply_to`] names it.
    pub fn to(self, destination: &str) -> Self {
        self.option(&format!("to={}", destination.replacen("://", ":", 1)))
    }

    /// To another queue than the client's usual one.
    pub fn to_queue(self, name: &str) -> Self {
        self.option(&format!("to=queue:{name}"))
    }

    /// Surviving a broker's restart.
    pub fn persistent(self) -> Self {
        self.option("persistent")
    }

    /// With a JMSPriority other than 4.
    pub fn priority(self, priority: u8) -> Self {
        self.option(&format!("priority={priority}"))
    }

    /// Worthless after so many milliseconds.
    pub fn ttl_ms(self, ms: u64) -> Self {
        self.option(&format!("ttl={ms}"))
    }

    /// With a string property of its own.
    pub fn property(self, name: &str, value: &str) -> Self {
        self.option(&format!("property.{name}={}", encoded(value.as_bytes())))
    }

    fn option(mut self, option: &str) -> Self {
        self.options.push(option.to_owned());
        self
    }

    pub(super) fn words(&self) -> String {
        let correlation = self.correlation.as_deref().unwrap_or("-");
        let mut words = vec![correlation.to_owned(), encoded(&self.body)];
        words.extend_from_slice(&self.options);
        words.join(" ")
    }
}

/// One word for any text, also an empty one.
pub(super) fn encoded(body: &[u8]) -> String {
    if body.is_empty() {
        "-".into()
    } else {
        STANDARD.encode(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_is_two_words() {
        assert_eq!(Message::text("hi").correlation("c1").words(), "c1 aGk=");
        assert_eq!(Message::text("").words(), "- -");
    }

    #[test]
    fn options_follow_the_text() {
        let message = Message::bytes(b"x")
            .persistent()
            .reply_to(&ReplyTo::Queue("q".into()));
        assert_eq!(
            message.words(),
            "- eA== type=bytes persistent reply=queue:q"
        );
    }

    #[test]
    fn a_client_without_login_says_so() {
        let connect = Connect::to(([127, 0, 0, 1], 5).into());
        assert_eq!(connect.words(), "tcp://127.0.0.1:5 - - ss_admin");
        let connect = connect.login("ibex", "secret").queue("other").failover();
        assert_eq!(
            connect.words(),
            "failover:(tcp://127.0.0.1:5)?maxReconnectDelay=500 ibex secret other"
        );
    }
}

//! A message taken from the queue, until it is acknowledged.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::key::Key;
use crate::stomp::{ClientFrame, Outgoing};

/// Counts as taken until it is dropped. Dropped without [`Delivery::acknowledge`], the broker delivers it again.
pub struct Delivery {
    ack: Option<String>,
    outgoing: Outgoing,
    connection: u64,
    _taken: OwnedSemaphorePermit,
    _place: Option<OwnedSemaphorePermit>,
}

/// Where and how the sender wants its answer.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The `reply-to` header, which is acceptable.
    pub reply_to: String,
    /// What the answer must carry as `correlation-id`.
    pub correlation: Option<String>,
    /// Whether the answer has to survive a restart of the broker, as the request would have.
    pub persistent: bool,
    /// Its priority, which the answer gets too; absent for the ordinary one.
    pub priority: Option<u8>,
    /// After that moment, in milliseconds since 1970, nobody wants it any more.
    pub expires: Option<u64>,
    /// When it arrived.
    pub received: Instant,
    /// How far the sender's clock is ahead of ours, which it will take our `expires` by.
    pub ahead: Duration,
}

impl Envelope {
    /// Whether its sender has said that nobody wants it any more.
    pub fn is_expired(&self) -> bool {
        let now = SystemTime::now() + self.ahead;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires
            .is_some_and(|expires| now.as_millis() >= u128::from(expires))
    }
}

/// An answer on its way to the broker.
pub struct Answer {
    /// Where to, and with which correlation id.
    pub envelope: Envelope,
    /// The text, ASCII.
    pub text: Arc<str>,
    /// At how many ends of the connection it was on its way.
    pub cuts: u8,
    /// When it was made; it is worth nothing after a while.
    pub made: Instant,
    /// Under which key it is remembered, at least until it is settled.
    pub key: Option<Key>,
    /// What is acknowledged once the broker has the answer.
    pub deliveries: Vec<Delivery>,
}

impl Delivery {
    /// Of a message with this `ack` header that came on the connection of `outgoing`, which has that number.
    pub fn new(
        ack: Option<String>,
        (outgoing, connection): (Outgoing, u64),
        taken: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            ack,
            outgoing,
            connection,
            _taken: taken,
            _place: None,
        }
    }

    /// The number of the connection that it came on.
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// Lets this message have a place among the ordinary requests until it is dropped.
    #[must_use]
    pub fn with_place(self, place: OwnedSemaphorePermit) -> Self {
        Self {
            _place: Some(place),
            ..self
        }
    }

    /// Tells the broker that the message is done with. If its connection has gone the broker delivers the message again,
    /// which [`crate::memory`] knows how to take.
    pub async fn acknowledge(self) {
        if let Some(ack) = self.ack
            && let Err(error) = self.outgoing.send(ClientFrame::ack(ack)).await
        {
            tracing::debug!(%error, "a message could not be acknowledged and will come again");
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("ack", &self.ack)
            .finish_non_exhaustive()
    }
}

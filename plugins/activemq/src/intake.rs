//! A message, read: where its answer goes and what it wants.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patchbay_dialect_json::{Form, Request};
use patchbay_sdk::{Fault, FaultKind, by_size};
use tokio::time::Instant;

use crate::delivery::Envelope;
use crate::reply_to;
use crate::stomp::text::decode;
use crate::stomp::{Body, MessageFrame};

/// A longer correlation id, in bytes, may not fit into a header line once it is escaped, so that its request could not be
/// answered.
const MAX_CORRELATION: usize = 4_000;

/// That of JMS.
const MAX_PRIORITY: u8 = 9;

/// A day.
const MAX_AHEAD: Duration = Duration::from_secs(86_400);

/// Where the answer goes; `None` if it could not be sent.
pub fn envelope(message: &MessageFrame, own_queue: &str) -> Option<Envelope> {
    let reply_to = message
        .header("reply-to")
        .filter(|to| reply_to::is_acceptable(to, own_queue))?;
    let correlation = message.header("correlation-id").filter(|id| !id.is_empty());
    let correlation = correlation.or_else(|| message.header("message-id"));
    if correlation.is_some_and(|id| id.len() > MAX_CORRELATION) {
        return None;
    }
    Some(Envelope {
        reply_to: reply_to.to_owned(),
        correlation: correlation.map(str::to_owned),
        persistent: message.flag("persistent"),
        priority: number(message, "priority").filter(|priority| *priority <= MAX_PRIORITY),
        expires: number(message, "expires").filter(|expires| *expires > 0),
        received: Instant::now(),
        ahead: ahead(message.header("timestamp"), SystemTime::now()),
    })
}

/// The client can write into these what it likes; the broker hangs up on what is no number.
fn number<T: FromStr>(message: &MessageFrame, header: &str) -> Option<T> {
    message.header(header)?.parse().ok()
}

/// By how much a `timestamp` (milliseconds since 1970) is ahead of `now`, believed up to [`MAX_AHEAD`].
fn ahead(timestamp: Option<&str>, now: SystemTime) -> Duration {
    let sent = timestamp.and_then(|text| text.parse().ok());
    let sent = sent.map_or(Duration::ZERO, Duration::from_millis);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    sent.saturating_sub(now).min(MAX_AHEAD)
}

/// What is wanted, and in which form. `limit` is that of the body's size.
pub async fn read(message: &MessageFrame, limit: usize) -> Request {
    let unreadable = |fault| Request {
        form: Form::UNKNOWN,
        wish: Err(fault),
    };
    let refuse = |kind, text: String| unreadable(Fault::new(kind, text));
    // A STOMP client may send a TextMessage with a length; the broker passes both headers on.
    let is_text = message.header("amq-msg-type") == Some("text");
    match &message.body {
        Body::Counted(_) if !is_text => {
            let text = "this is a BytesMessage (it has a content-length); send a TextMessage";
            refuse(FaultKind::Invalid, text.into())
        }
        Body::Text(bytes) | Body::Counted(bytes) => {
            let body = bytes.clone();
            let read = by_size(bytes.len(), move || {
                patchbay_dialect_json::read(&decode(&body))
            })
            .await;
            read.unwrap_or_else(unreadable)
        }
        Body::TooLong(length) => {
            let text = format!("the request is {length} bytes long; at most {limit} are taken");
            refuse(FaultKind::TooLarge, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_ahead_is_believed_up_to_a_day() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (timestamp, seconds) in [
            (None, 0),
            (Some("soon"), 0),
            (Some("-1"), 0),
            (Some("999000000"), 0),
            (Some("1000090000"), 90),
            (Some("18446744073709551615"), 86_400),
        ] {
            assert_eq!(ahead(timestamp, now).as_secs(), seconds, "{timestamp:?}");
        }
    }
}

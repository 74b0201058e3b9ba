//! A client's wish for events at its reply-to, and how many it has been sent without a sign of life.

use patchbay_dialect_json::Subscription;
use patchbay_sdk::EventKind;

/// The broker does not tell whether a client reads. One that asks for something now and then is taken to.
#[derive(Debug)]
pub struct Subscribed {
    what: Subscription,
    events: u32,
    bytes: usize,
}

/// How much a client may be sent before it asks for something.
#[derive(Debug, Clone, Copy)]
pub struct Unread {
    /// In events.
    pub events: u32,
    /// In bytes.
    pub bytes: usize,
}

impl Subscribed {
    /// To these events.
    pub fn new(what: Subscription) -> Self {
        Self {
            what,
            events: 0,
            bytes: 0,
        }
    }

    /// Whether events of that kind are wanted.
    pub fn wants(&self, kind: &EventKind) -> bool {
        self.what.wants(kind)
    }

    /// Counts an event of that length; whether it may be sent.
    pub fn take(&mut self, length: usize, limit: Unread) -> bool {
        self.events = self.events.saturating_add(1);
        self.bytes = self.bytes.saturating_add(length);
        self.events <= limit.events && self.bytes <= limit.bytes
    }

    /// The client lives.
    pub fn renew(&mut self) {
        (self.events, self.bytes) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_never_asks_for_anything_is_sent_so_much_and_no_more() {
        let limit = Unread {
            events: 3,
            bytes: 100,
        };
        let mut subscribed = Subscribed::new(Subscription::default());
        let taken = |subscribed: &mut Subscribed, length| {
            (0..5).filter(|_| subscribed.take(length, limit)).count()
        };
        assert_eq!(taken(&mut subscribed, 10), 3);
        subscribed.renew();
        assert_eq!(taken(&mut subscribed, 60), 1);
    }
}

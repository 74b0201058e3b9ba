//! A limit of the configuration was hit: the client is told which one, and it is counted by its key.

use super::{Broker, check};
use patchbay_abi::{Fault, FaultKind, Message};

impl Broker {
    /// `what` there may be only so much of; `then` is what to do.
    pub(super) fn limit_hit(
        &self,
        key: &'static str,
        limit: usize,
        what: &str,
        then: &str,
    ) -> Fault {
        self.metrics.limit_hit(key);
        let text = format!("{limit} {what} ({key}) is the limit of this gateway; {then}");
        Fault::new(FaultKind::Busy, text)
    }

    /// Whether a message is within its limits, and its body JSON.
    pub(super) fn check(&self, message: &Message) -> Result<(), Fault> {
        check(message, self.limits().body_bytes).inspect_err(|fault| {
            if fault.kind == FaultKind::TooLarge {
                self.metrics.limit_hit("max_body_bytes");
            }
        })
    }
}

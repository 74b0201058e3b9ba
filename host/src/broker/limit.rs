//! A limit of the configuration was hit: the client is told which one, and it is counted by its key.

use super::{Broker, check};
use patchbay_abi::{Fault, FaultKind, Message};

impl Broker {
    /// `what` there may be only so much of; `then` is what to do.
    pub(super) fn limit_hit(&self, key: &str, limit: usize, what: &str, then: &str) -> Fault {
        self.count_limit(key);
        let text = format!("{limit} {what} ({key}) is the limit of this gateway; {then}");
        Fault::new(FaultKind::Busy, text)
    }

    /// Whether a message is within its limits, and its body JSON.
    pub(super) fn check(&self, message: &Message) -> Result<(), Fault> {
        let too_large = |fault: &Fault| {
            if fault.kind == FaultKind::TooLarge {
                self.count_limit("max_body_bytes");
            }
        };
        check(message, self.limits().body_bytes).inspect_err(too_large)
    }

    fn count_limit(&self, key: &str) {
        self.count(&format!("limit_{key}"));
    }
}

//! Where a side takes messages.

use crate::Message;
use abi_stable::StableAbi;
use abi_stable::sabi_trait;
use abi_stable::std_types::RArc;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What became of a message.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Taken.
    Taken,
    /// The side that should take it is gone or going; the message was dropped.
    Closed,
    /// The side that should take it has no room, or broke while taking it; the message was dropped.
    Refused,
    /// What no host knows yet.
    #[cfg(feature = "other-layout")]
    Postponed,
}

/// What a side must be able to do: take a message without blocking.
pub trait Deliver: Send + Sync + 'static {
    /// Enqueues; never waits, never calls back into the caller.
    fn deliver(&self, message: Message) -> Delivery;
}

/// One direction of the boundary. Cloning is cheap; the last clone closes it.
#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct Port {
    target: Target_TO<RArc<()>>,
}

#[sabi_trait]
trait Target: Send + Sync + Clone + 'static {
    fn deliver(&self, message: Message) -> Delivery;
}

/// Keeps panics on the side where they happen: one that reached the glue of `abi_stable` would end
/// the process.
struct Guarded<T>(std::sync::Arc<T>);

impl<T> Clone for Guarded<T> {
    fn clone(&self) -> Self {
        Guarded(self.0.clone())
    }
}

impl<T: Deliver> Target for Guarded<T> {
    fn deliver(&self, message: Message) -> Delivery {
        catch_unwind(AssertUnwindSafe(|| self.0.deliver(message))).unwrap_or(Delivery::Refused)
    }
}

impl Port {
    /// Offers `side` to the other one.
    pub fn new(side: impl Deliver) -> Self {
        Port::shared(std::sync::Arc::new(side))
    }

    /// Offers a side that is held elsewhere, too.
    pub fn shared(side: std::sync::Arc<impl Deliver>) -> Self {
        let guarded = RArc::new(Guarded(side));
        Port {
            target: Target_TO::from_ptr(guarded, sabi_trait::TD_Opaque),
        }
    }

    /// Hands a message over; returns at once.
    pub fn deliver(&self, message: Message) -> Delivery {
        self.target.deliver(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    struct Panics;

    impl Deliver for Panics {
        fn deliver(&self, _message: Message) -> Delivery {
            panic!("on purpose")
        }
    }

    #[test]
    fn a_panic_while_taking_stays_inside() {
        let port = Port::new(Panics);
        assert_eq!(
            port.deliver(Message::bare(Kind::STOP, 0)),
            Delivery::Refused
        );
    }
}

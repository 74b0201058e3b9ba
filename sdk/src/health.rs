//! How an instance says that it is.

use patchbay_abi::{Kind, Message, head};

/// What operators see of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Works.
    Up,
    /// Works in part; why.
    Degraded(String),
    /// Runs, but its server or broker is not there; why. It goes on trying by itself.
    Down(String),
}

impl Health {
    pub(crate) fn into_message(self) -> Message {
        let (state, reason) = match self {
            Health::Up => ("up", String::new()),
            Health::Degraded(reason) => ("degraded", reason),
            Health::Down(reason) => ("down", reason),
        };
        let state = state.to_owned();
        Message::new(Kind::HEALTH, 0, &head::Health { state, reason })
    }
}

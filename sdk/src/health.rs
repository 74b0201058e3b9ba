//! How an instance says that it is.

use patchbay_abi::{Kind, Message, head};

/// What operators see of an instance.
///
/// ```
/// # use patchbay_sdk::{BackendContext, Health};
/// fn heard(cx: &BackendContext, answer: std::io::Result<()>) {
///     cx.health(match answer {
///         Ok(()) => Health::Up,
///         Err(error) => Health::Down(format!("127.0.0.1:7700: {error}")),
///     });
/// }
/// ```
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
        let (state, mut reason) = match self {
            Health::Up => ("up", String::new()),
            Health::Degraded(reason) => ("degraded", reason),
            Health::Down(reason) => ("down", reason),
        };
        crate::glue::shorten(&mut reason);
        let state = state.to_owned();
        Message::new(Kind::HEALTH, 0, &head::Health { state, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_so_that_the_host_takes_it() {
        let message = Health::Down("ü".repeat(100_000)).into_message();
        let head: head::Health = message.read_head().unwrap();
        assert!(message.head.len() < 64 * 1024);
        assert!(head.reason.ends_with('…'));
    }
}

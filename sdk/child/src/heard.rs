//! What a program says.

use patchbay_abi::Message;
use patchbay_sdk::Health;

/// What a program says, beside its answers; and what there is to count about it.
#[derive(Debug)]
pub enum Heard {
    /// How it is.
    Health(Health),
    /// Something was counted.
    Count(String, u64),
    /// So much there is of something.
    Level(String, i64),
    /// What only its plugin knows what to do with: an event, a login, ….
    Message(Message),
}

impl Heard {
    /// One more of what operators see by that name.
    pub(crate) fn one(counter: &str) -> Self {
        Heard::Count(counter.to_owned(), 1)
    }
}

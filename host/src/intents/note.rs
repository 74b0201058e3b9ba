//! What is noted of one request.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// A SHA-256: of a key, or of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of these parts, one after the other, with a NUL between them.
    pub fn of<const N: usize>(parts: [&[u8]; N]) -> Self {
        let mut hash = Sha256::new();
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                hash.update([0]);
            }
            hash.update(part);
        }
        Digest(hash.finalize().into())
    }

    /// Enough of it to tell requests apart, for people.
    pub fn short(&self) -> String {
        let bytes = self.0.iter().take(8);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A request that was to be carried out once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    /// When, in seconds since 1970.
    pub at: f64,
    /// Of its arguments.
    pub body: [u8; 32],
    /// Whose it was, at the backend.
    pub who: String,
    /// How far it got.
    pub state: State,
}

/// How far a request got.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It may have been sent; nothing is known of an answer.
    Open,
    /// It was answered like this.
    Done(Box<RawValue>),
}

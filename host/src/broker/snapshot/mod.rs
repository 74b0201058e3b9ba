//! What a backend answered last to `status` and `log`: a client that asks again is answered from here, on its own
//! frontend's thread, whatever the backend does.
//!
//! ```text
//!                    ┌ `fresh`, or nothing is kept ──────────► through to the backend; its answer is kept
//! role? ─ kept? ─────┼ nothing was heard since, and it is young ► answered, with its age
//!                    ├ somebody asks already ────────────────► waits for that answer  ┐ after `patience`: the old one,
//!                    └ else ─────────────────────────────────► asks, for all          ┘ with its age and why
//! ```
//!
//! An answer counts until something is heard that may have changed it: an event ([`touch`] says which), or the answer to
//! a request that changes something. Counters, not clocks, say what came first: whoever has been told that a job was
//! submitted never gets an answer from before that, unless it says so (`stale`).
//!
//! What is heard makes the host ask again by itself, if somebody wanted that answer lately, and not too often. A backend
//! that is down, or does not answer, is still spoken for: with what was known last, how old that is, and why there is
//! nothing newer.
//!
//! The pieces: a question in its one form ([`variant`]), its answer and who waits for that ([`entry`]), all of one backend
//! ([`shelf`]), what touches what ([`touch`]), an answer's text ([`text`]); [`look`] is the way of a request, [`land`] that
//! of an answer, [`tend`] what time brings.

mod entry;
mod land;
mod look;
mod shelf;
mod tend;
mod text;
mod touch;
mod variant;

pub(super) use entry::Look;
pub(super) use look::Aim;
pub(super) use shelf::Shelf;
pub(super) use variant::{Subject, Variant};

use std::time::Duration;

/// How snapshots are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshots {
    /// Memory for the answers of one backend, in bytes.
    pub bytes: usize,
    /// How long a client waits for a newer answer while there is an old one.
    pub patience: Duration,
    /// How often the host asks by itself at the most; an answer in which only a line may have changed is that old at
    /// the most.
    pub interval: Duration,
    /// How old an answer is at the most although nothing was heard that could have changed it.
    pub age: Duration,
}

impl Default for Snapshots {
    fn default() -> Self {
        Snapshots {
            bytes: 8 << 20,
            patience: Duration::from_millis(250),
            interval: Duration::from_millis(250),
            age: Duration::from_secs(1),
        }
    }
}

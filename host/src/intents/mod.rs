//! What must not be done twice: each keyed request is noted on disk before it is sent, and its answer
//! after. So whoever comes with the same key again, after whatever was restarted, is answered from
//! here.
//!
//! Bodies are not kept, only their digests; keys are kept as digests too. The notes lie in one file
//! of the state directory, bounded by number and age, which belongs to one gateway at a time.

mod folder;
mod note;
mod store;

pub use folder::prepare;
pub use note::{Digest, Note, State};
pub use store::{Change, Store, Trouble};

use std::path::PathBuf;
use std::time::Duration;

/// Where intents are noted, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// The state directory, absolute.
    pub folder: PathBuf,
    /// At most so many; the oldest are forgotten first.
    pub most: u64,
    /// So many of the newest are kept whatever their age; more than can be under way.
    pub least: u64,
    /// Older ones are forgotten.
    pub age: Duration,
}

//! `complete`.

use serde::{Deserialize, Serialize};

/// The arguments of `complete`.
///
/// ```
/// # use patchbay_sdk::model::args::Complete;
/// let complete: Complete = serde_json::from_str(r#"{"line":"print(sam","word":"sam"}"#)?;
/// assert_eq!(complete.word, "sam");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complete {
    /// What has been typed so far, for servers that mind.
    #[serde(default)]
    pub line: String,
    /// The last word of it.
    pub word: String,
}

//! `edit`.

use serde::{Deserialize, Serialize};

/// The arguments of `edit`.
///
/// ```
/// # use patchbay_sdk::model::args::Edit;
/// let edit: Edit = serde_json::from_str(r#"{"job":"1a2b","code":"count(2)"}"#)?;
/// assert_eq!((edit.job.as_deref(), &*edit.code), (Some("1a2b"), "count(2)"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Which job; without it the one that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Its new text.
    pub code: String,
    /// Why, for the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

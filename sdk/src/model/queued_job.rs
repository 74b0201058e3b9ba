//! A job that waits.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A job that waits, in `status`.
///
/// ```
/// # use patchbay_sdk::model::QueuedJob;
/// let json = r#"{"id":"1a2b","name":null,"user":"anna","body":"count(1)"}"#;
/// let job: QueuedJob = serde_json::from_str(json)?;
/// assert_eq!(&*job.body, "count(1)");
/// assert_eq!(serde_json::to_string(&job)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueuedJob {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: Option<String>,
    /// Its text.
    pub body: Arc<str>,
    /// Another client of the server put it there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
}

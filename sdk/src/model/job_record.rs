//! What is known of a job.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{JobKind, JobState};

/// A job as `job` and `status` show it. Times are Unix seconds. A server leaves out what it does not know.
///
/// ```
/// # use patchbay_sdk::model::{JobRecord, JobState};
/// let record = JobRecord {
///     id: "9e8d".to_owned(),
///     user: Some("anna".to_owned()),
///     state: JobState::Running,
///     started: Some(1795000000.5),
///     ..JobRecord::default()
/// };
/// let json = r#"{"id":"9e8d","name":null,"user":"anna","state":"running","started":1795000000.5}"#;
/// assert_eq!(serde_json::to_string(&record)?, json);
/// assert_eq!(serde_json::from_str::<JobRecord>(json)?, record);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobRecord {
    /// Never changes, whatever the server does to its own.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Who asked for it.
    pub user: Option<String>,
    /// Where it is in its life.
    pub state: JobState,
    /// What it is, where a server has several kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<JobKind>,
    /// Another client of the server put it there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// When it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted: Option<f64>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<f64>,
    /// The server's own word on its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its text. In `last` of a status some clients show it until another job begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Arc<str>>,
}

//! The job that runs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The job that runs, in `status`.
///
/// ```
/// # use patchbay_sdk::model::RunningJob;
/// let json = r#"{"id":"0f6c","name":"scan","body":"count(1)","line":1}"#;
/// let job: RunningJob = serde_json::from_str(json)?;
/// assert_eq!(job.line, Some(1));
/// assert_eq!(serde_json::to_string(&job)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunningJob {
    /// Its id; absent if it began before anybody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its text.
    pub body: Arc<str>,
    /// The line it is at, counted from 1.
    pub line: Option<u64>,
    /// Another client of the server put it there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// When it began, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
}

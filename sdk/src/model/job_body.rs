//! The body of a `job` event.

use serde::{Deserialize, Serialize};

use super::{JobChange, JobRecord, JobState};

/// The body of a `job` event; which job it is stands beside it.
///
/// ```
/// # use patchbay_sdk::model::{JobBody, JobChange, JobRecord, JobState};
/// let record = JobRecord { state: JobState::Failed, ..JobRecord::default() };
/// let body = JobBody::new(JobChange::Finished, &record);
/// assert_eq!(serde_json::to_string(&body)?, r#"{"state":"finished","outcome":"failed"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobBody {
    /// What happened to it.
    pub state: JobChange,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JobState>,
    /// Why it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl JobBody {
    /// What happened to that job; with its outcome if it has finished.
    #[must_use]
    pub fn new(state: JobChange, record: &JobRecord) -> Self {
        let ended = state == JobChange::Finished;
        Self {
            state,
            name: record.name.clone(),
            user: record.user.clone(),
            outcome: ended.then_some(record.state),
            error: record.error.clone().filter(|_| ended),
        }
    }
}

//! The reply to `status`.

use serde::{Deserialize, Serialize};

use super::{JobRecord, LinkState, Native, Prompt, QueuedJob, Run, RunningJob};

/// The reply to `status`. A server that says more flattens this into a type of its own.
///
/// ```
/// # use patchbay_sdk::model::{LinkState, Run, Status};
/// let status = Status { link: LinkState::Up, run: Run::Idle, ..Status::default() };
/// let json = r#"{"link":"up","run":"idle","job":null,"queue":[],"last":null,"prompt":null}"#;
/// assert_eq!(serde_json::to_string(&status)?, json);
///
/// #[derive(serde::Serialize)]
/// struct More {
///     #[serde(flatten)]
///     status: Status,
///     shutter: &'static str,
/// }
/// let more = serde_json::to_value(More { status, shutter: "closed" })?;
/// assert_eq!((&more["run"], &more["shutter"]), (&"idle".into(), &"closed".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Whether the server can be reached.
    pub link: LinkState,
    /// What it does.
    pub run: Run,
    /// The job that runs.
    pub job: Option<RunningJob>,
    /// What waits, in order.
    pub queue: Vec<QueuedJob>,
    /// The job that ended last.
    pub last: Option<JobRecord>,
    /// What the running job asks, if it waits for an answer.
    pub prompt: Option<Prompt>,
    /// The server's own form, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Native>,
}

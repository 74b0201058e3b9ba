//! `reorder`.

use serde::{Deserialize, Serialize};

/// The arguments of `reorder`.
///
/// ```
/// # use patchbay_sdk::model::args::Reorder;
/// let Reorder { jobs } = serde_json::from_str(r#"{"jobs":["1a2b","0f6c"]}"#)?;
/// assert_eq!(jobs, ["1a2b", "0f6c"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reorder {
    /// The ids of all jobs that wait, in their new order.
    pub jobs: Vec<String>,
}

//! `job`.

use serde::{Deserialize, Serialize};

/// The arguments of `job`.
///
/// ```
/// # use patchbay_sdk::model::args::Which;
/// let Which { job } = serde_json::from_str(r#"{"job":"1a2b"}"#)?;
/// assert_eq!(job, "1a2b");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Which {
    /// The job's id.
    pub job: String,
}

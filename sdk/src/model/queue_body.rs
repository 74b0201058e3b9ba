//! The body of a `queue` event.

use serde::{Deserialize, Serialize};

/// The body of a `queue` event: what waits is in another order.
///
/// ```
/// # use patchbay_sdk::model::QueueBody;
/// let body = QueueBody { jobs: vec!["1a2b".to_owned(), "0f6c".to_owned()] };
/// assert_eq!(serde_json::to_string(&body)?, r#"{"jobs":["1a2b","0f6c"]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueBody {
    /// The ids of what waits, in its order.
    pub jobs: Vec<String>,
}

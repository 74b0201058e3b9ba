//! `watch` and `unwatch`.

use serde::{Deserialize, Serialize};

/// The arguments of `watch` and `unwatch`.
///
/// ```
/// # use patchbay_sdk::model::args::Watch;
/// let Watch { expressions } = serde_json::from_str(r#"{"expressions":["T()"]}"#)?;
/// assert_eq!(expressions, ["T()"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Whose values are told, or not any more, as they change.
    pub expressions: Vec<String>,
}

//! `exec` and `eval`.

use serde::{Deserialize, Serialize};

/// The arguments of `exec` and `eval`.
///
/// ```
/// # use patchbay_sdk::model::args::Code;
/// let Code { code } = serde_json::from_str(r#"{"code":"1 + 1"}"#)?;
/// assert_eq!(code, "1 + 1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// What to run beside the script, or to evaluate.
    pub code: String,
}

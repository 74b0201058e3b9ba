//! `answer`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The arguments of `answer`.
///
/// ```
/// # use patchbay_sdk::model::args::Answer;
/// let answer: Answer = serde_json::from_str(r#"{"prompt":"p1","value":"b"}"#)?;
/// assert_eq!(answer.value.as_ref().map(|value| value.get()), Some(r#""b""#));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The id of what was asked.
    pub prompt: String,
    /// The answer; without it the prompt's default, or only that the script goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<RawValue>>,
}

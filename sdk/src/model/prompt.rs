//! What a script asks.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A question that waits for an answer: in `status`, and the body of a `prompt` event. Values are the server's own, and
/// passed on unparsed.
///
/// ```
/// # use patchbay_sdk::model::Prompt;
/// let json = r#"{"prompt":"p1","text":"Which sample?","input":true,"choices":["a","b"],"default":"a"}"#;
/// let prompt: Prompt = serde_json::from_str(json)?;
/// assert_eq!(prompt.default.as_ref().map(|value| value.get()), Some(r#""a""#));
/// assert_eq!(serde_json::to_string(&prompt)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Prompt {
    /// Its id.
    pub prompt: String,
    /// What is asked.
    pub text: String,
    /// Whether a value is wanted, not only that the script goes on.
    pub input: bool,
    /// The values to choose from, a list, where there are such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Box<RawValue>>,
    /// What is taken if no value is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Box<RawValue>>,
    /// What the server checks the value with, in its own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validator: Option<Box<RawValue>>,
    /// The job that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

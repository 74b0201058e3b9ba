//! `simulate`.

use serde::{Deserialize, Serialize};

/// The arguments of `simulate`.
///
/// ```
/// # use patchbay_sdk::model::args::Simulate;
/// let simulate: Simulate = serde_json::from_str(r#"{"code":"count(1)","simulation":"s1"}"#)?;
/// assert_eq!(simulate.simulation.as_deref(), Some("s1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulate {
    /// What the script is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its text.
    pub code: String,
    /// The id under which events tell of it; without it one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<String>,
}

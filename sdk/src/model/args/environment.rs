//! `environment`.

use serde::{Deserialize, Serialize};

/// The arguments of `environment`.
///
/// ```
/// # use patchbay_sdk::model::args::{Do, Environment};
/// let environment: Environment = serde_json::from_str(r#"{"do":"reset"}"#)?;
/// assert_eq!(environment.r#do, Do::Reset);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// What is to become of it.
    pub r#do: Do,
}

/// What is to become of what jobs run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Do {
    /// There is to be one.
    Open,
    /// There is to be none.
    Close,
    /// There is to be a new one, whatever becomes of the old one.
    Reset,
}

//! `remove`.

use patchbay_abi::{Fault, FaultKind};
use serde::{Deserialize, Serialize};

/// The arguments of `remove`: one job, or all.
///
/// ```
/// # use patchbay_sdk::model::args::Remove;
/// let one: Remove = serde_json::from_str(r#"{"job":"1a2b"}"#)?;
/// assert_eq!(one.which().unwrap().as_deref(), Some("1a2b"));
/// let all: Remove = serde_json::from_str(r#"{"all":true}"#)?;
/// assert_eq!(all.which().unwrap(), None);
/// let neither: Remove = serde_json::from_str("{}")?;
/// assert_eq!(neither.which().unwrap_err().message, "`remove` needs either `job` or `all`");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Everything that waits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

impl Remove {
    /// The id of the one that is meant; `None` if all are.
    ///
    /// # Errors
    /// `Invalid` if neither is said, or both.
    pub fn which(self) -> Result<Option<String>, Fault> {
        match (self.job, self.all) {
            (Some(job), false) => Ok(Some(job)),
            (None, true) => Ok(None),
            _ => Err(Fault::new(
                FaultKind::Invalid,
                "`remove` needs either `job` or `all`",
            )),
        }
    }
}

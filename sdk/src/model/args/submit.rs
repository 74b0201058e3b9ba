//! `submit`.

use serde::{Deserialize, Serialize};

/// The arguments of `submit`.
///
/// ```
/// # use patchbay_sdk::model::args::Submit;
/// let submit: Submit = serde_json::from_str(r#"{"name":"scan","code":"count(1)"}"#)?;
/// assert_eq!((submit.name.as_deref(), submit.start), (Some("scan"), false));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// What to call the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its text.
    pub code: String,
    /// What it is: a [`JobKind`](crate::model::JobKind), as the client has written it; by default a script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At once, or not at all: refused if the server is busy.
    #[serde(default)]
    pub start: bool,
}

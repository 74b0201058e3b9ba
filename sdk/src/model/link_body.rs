//! The body of a `link` event.

use serde::{Deserialize, Serialize};

use super::LinkState;

/// The body of a `link` event.
///
/// ```
/// # use patchbay_sdk::model::LinkBody;
/// assert_eq!(serde_json::to_string(&LinkBody::up("3.12"))?, r#"{"link":"up","version":"3.12"}"#);
/// let down = LinkBody::down("connection refused");
/// assert_eq!(serde_json::to_string(&down)?, r#"{"link":"down","cause":"connection refused"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkBody {
    /// Whether the server can be reached.
    pub link: LinkState,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl LinkBody {
    /// It can be reached, and is of that version.
    pub fn up(version: impl Into<String>) -> Self {
        Self {
            link: LinkState::Up,
            version: Some(version.into()),
            cause: None,
        }
    }

    /// It cannot be reached, because of that.
    pub fn down(cause: impl Into<String>) -> Self {
        Self {
            link: LinkState::Down,
            version: None,
            cause: Some(cause.into()),
        }
    }
}

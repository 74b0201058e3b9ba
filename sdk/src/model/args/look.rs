//! `status` and `log`.

use serde::{Deserialize, Serialize};

/// The arguments of `status` and `log`. (The host keeps their `fresh` for itself.)
///
/// ```
/// # use patchbay_sdk::model::args::Look;
/// let look: Look = serde_json::from_str(r#"{"last":20}"#)?;
/// assert_eq!((look.last, look.native), (Some(20), false));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Also what the server itself says, unparsed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub native: bool,
    /// So many messages at the most; of `log` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
}

//! `history`.

use serde::{Deserialize, Serialize};

/// The arguments of `history`. Times are Unix seconds.
///
/// ```
/// # use patchbay_sdk::model::args::History;
/// let history: History = serde_json::from_str(r#"{"key":"T/value","from":1795000000,"to":1795003600.5}"#)?;
/// assert_eq!((history.to, history.interval), (1795003600.5, None));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// A device's parameter, by the server's name of it.
    pub key: String,
    /// From when.
    pub from: f64,
    /// Until when.
    pub to: f64,
    /// Not more than one value in so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<f64>,
}

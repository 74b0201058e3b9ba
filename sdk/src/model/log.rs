//! The reply to `log`.

use serde::{Deserialize, Serialize};

use super::{LogLine, Native};

/// The reply to `log`.
///
/// ```
/// # use patchbay_sdk::model::Log;
/// let json = r#"{"messages":[{"time":1.5,"level":"error","logger":"nicos","text":"no beam"}]}"#;
/// let log: Log = serde_json::from_str(json)?;
/// assert_eq!(log.messages[0].text, "no beam");
/// assert_eq!(serde_json::to_string(&log)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// The messages, oldest first.
    pub messages: Vec<LogLine>,
    /// The server's own form, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Native>,
}

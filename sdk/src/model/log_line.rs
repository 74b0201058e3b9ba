//! A message.

use serde::{Deserialize, Serialize};

use super::Level;

/// A message: in the reply to `log`, and the body of a `log` event.
///
/// ```
/// # use patchbay_sdk::model::{Level, LogLine};
/// let json = r#"{"time":1795000000.25,"level":"info","logger":"nicos","text":"done"}"#;
/// let line: LogLine = serde_json::from_str(json)?;
/// assert_eq!((line.level, &*line.text), (Level::Info, "done"));
/// assert_eq!(serde_json::to_string(&line)?, json);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogLine {
    /// Unix seconds by the server's clock.
    pub time: f64,
    /// How important it is.
    pub level: Level,
    /// Who says it.
    pub logger: String,
    /// What, without the newline at its end.
    pub text: String,
    /// The job that it belongs to. An event says that beside its body as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Python's traceback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
}

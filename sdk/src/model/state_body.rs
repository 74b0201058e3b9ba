//! The body of a `state` event.

use serde::{Deserialize, Serialize};

use super::{LinkState, Run};

/// The body of a `state` event.
///
/// ```
/// # use patchbay_sdk::model::{LinkState, Run, StateBody};
/// let body = StateBody { run: Run::Running, line: Some(3), link: LinkState::Up };
/// assert_eq!(serde_json::to_string(&body)?, r#"{"run":"running","line":3,"link":"up"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StateBody {
    /// What the server does.
    pub run: Run,
    /// At which line of the running script, counted from 1.
    pub line: Option<u64>,
    /// Whether the server can be reached.
    pub link: LinkState,
}

//! What can be looked at.

use patchbay_sdk::model::Log;
use patchbay_sdk::model::args::Look;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::{Value, json};

use super::Scene;
use super::code::ask;

/// As many messages as `log` returns when nobody says how many.
const USUAL: u32 = 100;

/// The answer to `log` is not longer, in bytes; fewer messages are worth more than an error.
const LONGEST: usize = 1 << 20;

pub(super) fn status(scene: &Scene<'_>) -> Result<Reply, Fault> {
    Reply::new(&scene.board.status())
}

pub(super) fn log(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let look: Look = command.args()?;
    let count = look.last.unwrap_or(USUAL);
    let messages = scene.board.messages(count as usize, LONGEST);
    Reply::new(&Log {
        messages,
        native: None,
    })
}

pub(super) fn banner(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let python = scene.board.python().ok_or_else(|| {
        let text = "no Python process has been ready yet; see the log";
        Fault::new(FaultKind::Unavailable, text)
    })?;
    Reply::new(&json!({
        "server": "python",
        "version": format!("{} (Python {python})", env!("CARGO_PKG_VERSION")),
        "python": python,
    }))
}

/// Where the running script is, as Python's traceback.
pub(super) async fn trace(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    match ask(scene, command, json!({"do": "trace"})).await? {
        Value::Null => Err(Fault::new(FaultKind::Conflict, "no script is running")),
        trace => Reply::new(&trace),
    }
}

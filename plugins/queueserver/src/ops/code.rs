//! Code in the environment, beside what runs there.

use patchbay_sdk::model::args::Code;
use patchbay_sdk::{Command, Fault, Reply};
use serde_json::{Value, json};

use super::control::SHIM;
use super::{Scene, conflict};
use crate::environment;
use crate::shim;

pub(super) async fn eval(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    let server = scene.server;
    environment::ready(server).await?;
    let value = server.question(|nonce| shim::value(&code, nonce), server.eval_deadline());
    Reply::new(&json!({"value": value.await?}))
}

pub(super) async fn exec(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    let server = scene.server;
    environment::ready(server).await?;
    server
        .run_beside(shim::exec(&code), server.eval_deadline())
        .await?;
    Ok(Reply::null())
}

/// Where the running script is, as Python's traceback.
pub(super) async fn trace(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let value = scene.server.question(shim::trace, SHIM).await?;
    match value.parse::<Value>()? {
        Value::String(text) if text.is_empty() => Err(conflict("no script is running")),
        _ => Ok(Reply::raw(value)),
    }
}

//! The user's own code, run beside the script. It has a lane of its own, where only its like waits for it.

use patchbay_sdk::model::args::{Code, Complete, Simulate};
use patchbay_sdk::{Command, Fault, FaultKind, RawJson, Reply};
use serde_json::json;

use super::Scene;
use crate::pickle::Arg;
use crate::{shape, verb};

pub(super) async fn eval(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    let args = vec![Arg::Text(code), Arg::Bool(false)];
    let value = scene.value(command, verb::EVAL, args).await?;
    // Not by serde, which would read a long value once more.
    let reply = format!(r#"{{"value":{}}}"#, value.get());
    Ok(Reply::raw(RawJson::vouched(reply)))
}

/// NICOS acknowledges code that raises, too; what it raised is in the log.
pub(super) async fn exec(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    let args = vec![Arg::Text(code)];
    scene
        .ask(command, verb::EXEC, args)
        .await
        .map(|_| Reply::null())
}

/// Begins a dry run; what it says and finds comes as `simulation` events under the id that is returned.
pub(super) async fn simulate(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let simulate: Simulate = command.args()?;
    let id = simulate.simulation.unwrap_or_else(new_id);
    if !shape::is_id(&id) {
        let message = "`simulate`: `simulation` must be an id of at most 256 bytes";
        return Err(Fault::new(FaultKind::Invalid, message));
    }
    let name = simulate.name.unwrap_or_default();
    let args = vec![
        Arg::Text(name),
        Arg::Text(simulate.code),
        Arg::Text(id.clone()),
    ];
    scene.ask(command, verb::SIMULATE, args).await?;
    Reply::new(&json!({ "simulation": id }))
}

pub(super) async fn complete(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Complete { line, word } = command.args()?;
    let args = vec![Arg::Text(line), Arg::Text(word)];
    let value = scene.value(command, verb::COMPLETE, args).await?;
    Ok(Reply::raw(value))
}

/// An id that nobody else has.
fn new_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

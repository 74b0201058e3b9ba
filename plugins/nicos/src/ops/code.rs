//! The user's own code, run beside the script. It has a lane of its own, where only its like waits for it.

use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Scene;
use crate::lane::Answer;
use crate::pickle::Arg;
use crate::verb::{self, Verb};

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Serialize)]
struct Value {
    value: Box<RawValue>,
}

pub(super) async fn eval(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    let answer = ask(
        scene,
        command,
        verb::EVAL,
        vec![Arg::Text(code), Arg::Bool(false)],
    )
    .await?;
    match scene.read(answer).await? {
        // NICOS returns what the expression raised like any other value.
        (_, Some(raised)) => {
            let message = format!("the expression raised {}: {}", raised.class, raised.text);
            Err(Fault::new(FaultKind::Invalid, message))
        }
        (value, None) => Reply::new(&Value { value }),
    }
}

/// NICOS acknowledges code that raises, too; what it raised is in the log.
pub(super) async fn exec(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    ask(scene, command, verb::EXEC, vec![Arg::Text(code)])
        .await
        .map(|_| Reply::null())
}

async fn ask(
    scene: &Scene<'_>,
    command: &Command,
    verb: Verb,
    args: Vec<Arg>,
) -> Result<Answer, Fault> {
    scene.ask(scene.login.long(), command, verb, args).await
}

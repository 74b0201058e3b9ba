//! Expressions whose values NICOS tells whenever they change. There is one list of them, for all clients.

use patchbay_sdk::model::args::Watch;
use patchbay_sdk::{Command, Fault, Reply};

use super::Scene;
use crate::pickle::Arg;
use crate::verb::{self, Verb};

pub(super) async fn watch(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    send(scene, command, verb::WATCH).await
}

pub(super) async fn unwatch(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    send(scene, command, verb::UNWATCH).await
}

async fn send(scene: &Scene<'_>, command: &Command, verb: Verb) -> Result<Reply, Fault> {
    let Watch { expressions } = command.args()?;
    let args = vec![Arg::List(expressions.into_iter().map(Arg::Text).collect())];
    scene.ask(command, verb, args).await.map(|_| Reply::null())
}

//! The model's operations, each as the RE Manager's methods.

mod capabilities;
mod code;
mod control;
mod emergency;
mod environment;
mod find;
mod look;
mod native;
mod queue;
mod stop;

use std::sync::Arc;

use patchbay_sdk::{Command, Fault, FaultKind, Reply};

use crate::server::Server;

/// What an operation works with.
pub struct Scene<'a> {
    /// The RE Manager.
    pub server: &'a Arc<Server>,
    /// Who asks.
    pub user: &'a str,
}

/// Does what the command asks.
///
/// # Errors
/// `Unsupported` for an operation that this backend does not offer, else whatever goes wrong with it.
pub async fn run(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    match command.op.as_str() {
        "submit" => queue::submit(scene, command).await,
        "remove" => queue::remove(scene, command).await,
        "reorder" => queue::reorder(scene, command).await,
        "edit" => queue::edit(scene, command).await,
        "find" => find::find(scene, command).await,
        "job" => look::job(scene, command),
        "pause" => control::pause(scene, command).await,
        "resume" => control::resume(scene).await,
        "stop" => stop::stop(scene, command).await,
        "abort" => stop::abort(scene).await,
        "emergency" => emergency::emergency(scene).await,
        "status" => look::status(scene, command).await,
        "log" => look::log(scene, command),
        "trace" => code::trace(scene).await,
        "devices" => look::devices(scene).await,
        "banner" => look::banner(scene).await,
        "capabilities" => capabilities::capabilities(scene),
        "eval" => code::eval(scene, command).await,
        "exec" => code::exec(scene, command).await,
        "environment" => environment::environment(scene, command).await,
        "native" => native::native(scene, command).await,
        other => Err(capabilities::support(other, false).refusal(other)),
    }
}

fn conflict(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Conflict, message)
}

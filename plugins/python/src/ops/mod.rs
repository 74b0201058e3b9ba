//! The model's operations.

mod capabilities;
mod code;
mod control;
mod emergency;
mod find;
mod look;
mod native;
mod prompt;
mod queue;

use patchbay_sdk::{Command, Fault, Reply};

use crate::board::Board;
use crate::config::Settings;
use crate::foreman::Desk;
use crate::store::Store;
pub use emergency::end_hard;

/// What an operation works with.
pub struct Scene<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// What is known at present.
    pub board: &'a std::sync::Arc<Board>,
    /// What is known of the past.
    pub store: &'a Store,
    /// Where changes are ordered.
    pub desk: &'a Desk,
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
        "job" => queue::job(scene, command).await,
        "pause" => control::pause(scene, command),
        "resume" => control::resume(scene),
        "stop" => control::stop(scene, command).await,
        "abort" => control::abort(scene).await,
        "emergency" => emergency::emergency(scene, command).await,
        "status" => look::status(scene),
        "log" => look::log(scene, command),
        "banner" => look::banner(scene),
        "trace" => look::trace(scene, command).await,
        "capabilities" => capabilities::capabilities(scene),
        "eval" => code::eval(scene, command).await,
        "exec" => code::exec(scene, command).await,
        "complete" => code::complete(scene, command).await,
        "simulate" => code::simulate(scene, command).await,
        "answer" => prompt::answer(scene, command),
        "environment" => control::environment(scene, command).await,
        "native" => native::native(scene, command).await,
        other => Err(capabilities::support(other).refusal(other)),
    }
}

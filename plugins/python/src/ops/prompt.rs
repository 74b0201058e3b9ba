//! Answering what a script asks.

use patchbay_sdk::model::args::Answer;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::json;

use super::Scene;
use super::code::too_long;

/// Gives the script what `input()` returns: a text as it is, any other value as its JSON.
pub(super) fn answer(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let answer: Answer = command.args()?;
    too_long(scene, command.args.get().len())?;
    let open = scene.board.prompt();
    let Some(open) = open.filter(|open| open.prompt == answer.prompt) else {
        let id: String = answer.prompt.chars().take(64).collect();
        let text = format!(
            "no script waits at the prompt `{id}`; it was answered already, or the script has ended"
        );
        return Err(Fault::new(FaultKind::Conflict, text));
    };
    let Some(value) = answer.value else {
        let text = "this prompt asks for a value; give `value`";
        return Err(Fault::new(FaultKind::Invalid, text));
    };
    let worker = scene.board.ready_worker()?;
    worker.tell(&json!({"do": "answer", "prompt": open.prompt, "value": value}))?;
    Ok(Reply::null())
}

//! Answering what a script asks.

use patchbay_sdk::model::Prompt;
use patchbay_sdk::model::args::Answer;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::value::RawValue;

use super::{Scene, control};
use crate::pickle::Arg;
use crate::verb;

/// Gives the script the value that it asks for, checked by its own validator, and lets it go on.
pub(super) async fn answer(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let answer: Answer = command.args()?;
    let prompt = scene.known.prompts().open().cloned();
    let prompt = prompt.filter(|prompt| prompt.prompt == answer.prompt);
    let prompt = prompt.ok_or_else(|| settled(&answer.prompt))?;
    match (prompt.input, &answer.value) {
        (true, value) => give(scene, command, &prompt, value.as_deref()).await?,
        (false, None) => {}
        (false, Some(_)) => {
            let message = "this prompt only asks whether to go on; leave out `value`";
            return Err(Fault::new(FaultKind::Invalid, message));
        }
    }
    control::resume(scene, command).await
}

/// NICOS itself leaves checking the value to its clients; here the script's own validator does it, at the daemon.
async fn give(
    scene: &Scene<'_>,
    command: &Command,
    prompt: &Prompt,
    value: Option<&RawValue>,
) -> Result<(), Fault> {
    let value = match value {
        Some(value) => format!(
            "p[2]({})",
            Arg::from_json(value, &scene.settings.limits)?.literal()
        ),
        None if prompt.default.is_some() => "p[3]".to_owned(),
        None => {
            let message = "this prompt asks for a value; give `value`";
            return Err(Fault::new(FaultKind::Invalid, message));
        }
    };
    let id = Arg::Text(prompt.prompt.clone()).literal();
    let expression = format!(
        "(lambda p: session.setUserinput({id}, {value}) or True if p and p[1] == {id} else False)(session._user_prompt)"
    );
    let args = vec![Arg::Text(expression), Arg::Bool(false)];
    // It is answered at once, and must not wait behind somebody's long evaluation.
    let lane = scene.login.query();
    let answer = scene.send(lane, command.deadline, verb::EVAL, args).await?;
    match scene.read(answer).await? {
        (_, Some(raised)) => {
            let message = format!("the script does not accept this value: {}", raised.text);
            Err(Fault::new(FaultKind::Invalid, message))
        }
        (given, None) if given.get() == "true" => Ok(()),
        _ => Err(settled(&prompt.prompt)),
    }
}

fn settled(id: &str) -> Fault {
    let id: String = id.chars().take(64).collect();
    let message = format!(
        "no script waits at the prompt `{id}`; it was answered already, or the script has ended"
    );
    Fault::new(FaultKind::Conflict, message)
}

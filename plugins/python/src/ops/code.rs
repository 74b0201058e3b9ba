//! The user's own code, beside the script that runs.

use patchbay_sdk::model::Level;
use patchbay_sdk::model::args::{Code, Complete, Simulate};
use patchbay_sdk::{Command, Event, EventKind, Fault, FaultKind, Reply};
use serde_json::{Value, json};

use super::Scene;
use crate::board::Saying;
use crate::worker::{DryRun, dry_run};

/// Longest id of a dry run, in bytes.
const LONGEST_ID: usize = 256;

pub(super) async fn eval(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    Reply::new(&ask(scene, command, json!({"do": "eval", "code": code})).await?)
}

pub(super) async fn exec(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Code { code } = command.args()?;
    scene.board.say(Saying {
        level: Level::Input,
        logger: "patchbay",
        text: format!(
            ">>> [{}] {}",
            scene.user,
            &code[..code.floor_char_boundary(8192)]
        ),
        job: None,
        traceback: None,
    });
    ask(scene, command, json!({"do": "exec", "code": code})).await?;
    Ok(Reply::null())
}

pub(super) async fn complete(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Complete { word, .. } = command.args()?;
    Reply::new(&ask(scene, command, json!({"do": "complete", "word": word})).await?)
}

/// Asks the worker.
pub(super) async fn ask(
    scene: &Scene<'_>,
    command: &Command,
    order: Value,
) -> Result<Value, Fault> {
    let long = order["code"].as_str().map_or(0, str::len);
    too_long(scene, long)?;
    let worker = scene.board.ready_worker()?;
    let limit = scene.settings.eval_limit;
    worker.ask(order, limit, command.deadline).await
}

/// Refuses what is longer than a script may be.
pub(super) fn too_long(scene: &Scene<'_>, bytes: usize) -> Result<(), Fault> {
    let most = scene.settings.script_bytes;
    if bytes > most {
        let text = format!("the code has {bytes} bytes, and may have {most} (`script_bytes`)");
        return Err(Fault::new(FaultKind::TooLarge, text));
    }
    Ok(())
}

/// Reads a script without running it; what it would call is told under the id that is returned.
pub(super) async fn simulate(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Simulate {
        code, simulation, ..
    } = command.args()?;
    too_long(scene, code.len())?;
    let id = simulation.unwrap_or_else(super::queue::new_id);
    if id.is_empty() || id.len() > LONGEST_ID {
        let text = "`simulate`: `simulation` must be an id of at most 256 bytes";
        return Err(Fault::new(FaultKind::Invalid, text));
    }
    let read = dry_run(scene.settings, code).await?;
    for body in told(&id, &read) {
        scene.board.tell(Event::new(EventKind::Simulation, &body)?);
    }
    Reply::new(&json!({ "simulation": id }))
}

fn told(id: &str, read: &DryRun) -> Vec<Value> {
    let line = |level: &str, text: String| json!({"time": crate::clock::now(), "level": level, "logger": "dry run", "text": text});
    let message = |line: Value| json!({"simulation": id, "state": "message", "line": line});
    if let Some(mistake) = &read.mistake {
        let place = read
            .line
            .map_or(String::new(), |line| format!(" (line {line})"));
        let text = format!("{mistake}{place}");
        return vec![
            message(line("error", text)),
            json!({"simulation": id, "state": "failed", "devices": {}}),
        ];
    }
    let calls = read.calls.iter();
    let mut all: Vec<Value> = calls
        .map(|call| message(line("info", format!("line {}: {}", call.line, call.call))))
        .collect();
    if read.left_out > 0 {
        let text = format!("and {} more calls", read.left_out);
        all.push(message(line("info", text)));
    }
    all.push(json!({"simulation": id, "state": "finished", "devices": {}, "calls": read.calls}));
    all
}

//! Verbs that change what the running script does.

use serde_json::{Value, json};

use crate::args::{PauseAt, StopAt, word};
use crate::complaint::Result;
use crate::desk::Desk;

pub(super) fn pause(desk: &mut Desk, at: PauseAt) -> Result<()> {
    let said = match at {
        PauseAt::Now => "It is held.",
        PauseAt::Line => "It will be held after this line.",
        PauseAt::Step => "It will be held after this step.",
    };
    send(desk, "pause", &json!({"at": word(&at)}), said)
}

pub(super) fn resume(desk: &mut Desk) -> Result<()> {
    send(desk, "resume", &Value::Null, "It goes on.")
}

pub(super) fn stop(desk: &mut Desk, at: StopAt) -> Result<()> {
    let said = match at {
        StopAt::Now | StopAt::Immediate => "It is being stopped.",
        StopAt::Line => "It will be stopped after this line.",
        StopAt::Step => "It will be stopped after this step.",
    };
    send(desk, "stop", &json!({"at": word(&at)}), said)
}

pub(super) fn abort(desk: &mut Desk) -> Result<()> {
    send(desk, "abort", &Value::Null, "It is being aborted.")
}

pub(super) fn emergency(desk: &mut Desk) -> Result<()> {
    send(desk, "emergency", &Value::Null, "Emergency stop was sent.")
}

pub(super) fn finish(desk: &mut Desk) -> Result<()> {
    send(
        desk,
        "finish",
        &Value::Null,
        "The count ends; the script goes on.",
    )
}

fn send(desk: &mut Desk, op: &str, args: &Value, said: &str) -> Result<()> {
    let answer = desk.ask(op, args)?;
    desk.screen.answer(&answer, || said.to_owned())
}

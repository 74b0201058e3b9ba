//! What can be looked at: status, messages, the daemon's version.

use std::collections::BTreeMap;

use patchbay_sdk::model::args::Look;
use patchbay_sdk::model::{self, LinkState, Log, LogLine, Native, RunningJob};
use patchbay_sdk::{Command, Fault, FaultKind, RawJson, Reply};
use serde::Deserialize;
use serde_json::json;

use super::Scene;
use crate::banner;
use crate::model::line;
use crate::pickle::Arg;
use crate::shape::{self, Message, code};
use crate::verb;

/// As many messages as `log` returns when nobody says how many.
const USUAL: u32 = 100;

/// Under this name stands what the daemon itself says.
const NICOS: &str = "nicos";

pub(super) async fn status(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let look: Look = command.args()?;
    let json = scene.value(command, verb::GETSTATUS, Vec::new()).await?;
    let status: shape::Status = shape::read("status", &json)?;
    let prompt = scene.known.prompts().open().cloned();
    let jobs = scene.known.jobs();
    let state = status.status.0;
    Reply::new(&model::Status {
        link: LinkState::Up,
        run: jobs.run(state),
        job: running(&status, jobs.running().map(|job| job.id.clone())),
        queue: status.requests.into_iter().map(Into::into).collect(),
        last: jobs.last().cloned(),
        prompt,
        native: look.native.then(|| Native::new(NICOS, json)),
    })
}

/// Between the blocks of a script only the events tell that it still runs.
fn running(status: &shape::Status, id: Option<String>) -> Option<RunningJob> {
    let (state, at) = status.status;
    if id.is_none() && matches!(state, code::IDLE | code::IDLE_AFTER_FAILURE) {
        return None;
    }
    let name = status.scriptname.clone().filter(|name| !name.is_empty());
    Some(RunningJob {
        id,
        name,
        body: status.script.as_str().into(),
        line: line(at),
        ..RunningJob::default()
    })
}

pub(super) async fn log(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let look: Look = command.args()?;
    let most = scene.settings.log_most;
    let mut last = look.last.unwrap_or(USUAL.min(most));
    if last > most {
        let message = format!(
            "`log`: `last` is {last}, and at most {most} messages are returned (`log_most`)"
        );
        return Err(Fault::new(FaultKind::TooLarge, message));
    }
    loop {
        match messages(scene, command, last).await {
            // Fewer long messages are worth more than an error.
            Err(fault) if fault.kind == FaultKind::TooLarge && last > 1 => last /= 4,
            Err(fault) => return Err(fault),
            Ok(json) => return told(json, look.native),
        }
        last = last.max(1);
    }
}

pub(super) async fn messages(
    scene: &Scene<'_>,
    command: &Command,
    last: u32,
) -> Result<RawJson, Fault> {
    // NICOS takes nought for all.
    if last == 0 {
        return Ok(RawJson::vouched("[]".to_owned()));
    }
    let args = vec![Arg::Int(i64::from(last))];
    scene.value(command, verb::GETMESSAGES, args).await
}

fn told(json: RawJson, native: bool) -> Result<Reply, Fault> {
    let messages: Vec<Message> = shape::read("messages", &json)?;
    let messages = messages.into_iter().map(LogLine::from).collect();
    Reply::new(&Log {
        messages,
        native: native.then(|| Native::new(NICOS, json)),
    })
}

/// Where the running script is, as Python's traceback.
pub(super) async fn trace(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let value = scene.value(command, verb::GETTRACE, Vec::new()).await?;
    Ok(Reply::raw(value))
}

#[derive(Deserialize)]
struct Instrument {
    #[serde(default)]
    devices: Vec<String>,
    #[serde(default)]
    devicefailures: BTreeMap<String, String>,
    #[serde(default)]
    setups: (Vec<String>, Vec<String>),
    #[serde(default)]
    mode: Option<String>,
}

pub(super) async fn devices(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let json = scene.value(command, verb::GETSTATUS, Vec::new()).await?;
    let instrument: Instrument = shape::read("status", &json)?;
    let (setups, explicit) = instrument.setups;
    Reply::new(&json!({
        "devices": instrument.devices,
        "failed": instrument.devicefailures,
        "setups": setups,
        "explicit": explicit,
        "mode": instrument.mode,
    }))
}

pub(super) fn banner(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let greeting = scene.login.query().greeting();
    let greeting = greeting.ok_or_else(|| {
        Fault::new(
            FaultKind::Unavailable,
            "the daemon has not yet been greeted",
        )
    })?;
    Reply::new(&json!({
        "server": "nicos",
        "version": greeting.banner.daemon_version,
        "protocol": greeting.banner.protocol_version,
        "native": { NICOS: banner::public_fields(&greeting.banner_json) },
    }))
}

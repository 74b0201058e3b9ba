//! What can be looked at: state, jobs, output, devices.

use std::collections::BTreeMap;

use patchbay_sdk::{Command, Fault, FaultKind, RawJson, Reply};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::Scene;
use crate::environment;
use crate::model::LinkState;
use crate::wire::Urgency;

/// As many lines as `log` returns when nobody says how many.
const USUAL: usize = 100;

#[derive(Deserialize)]
struct Look {
    #[serde(default)]
    native: bool,
    #[serde(default)]
    last: Option<usize>,
}

#[derive(Deserialize)]
struct Which {
    job: String,
}

pub(super) async fn status(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let look: Look = command.args()?;
    let native = match look.native {
        true => Some(raw_status(scene).await?),
        false => None,
    };
    let jobs = scene.server.jobs();
    let mut reply = json!({
        "link": jobs.link(),
        "run": jobs.run(),
        "job": jobs.running_job(),
        "queue": jobs.queued_jobs(),
        "last": jobs.last().map(|job| &job.record),
        "prompt": null,
        "environment": jobs.status().worker_environment_state,
    });
    drop(jobs);
    if let Some(native) = native {
        let native: serde_json::Value = native.parse()?;
        reply["native"] = json!({ "queueserver": native });
    }
    Reply::new(&reply)
}

async fn raw_status(scene: &Scene<'_>) -> Result<RawJson, Fault> {
    let control = &scene.server.control;
    let body = control.raw("status", json!({}), Urgency::Ordinary).await?;
    RawJson::from_string(String::from_utf8_lossy(&body).into_owned())
}

pub(super) fn job(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Which { job } = command.args()?;
    let jobs = scene.server.jobs();
    match jobs.get(&job) {
        Some(job) => Reply::new(&job.record),
        None => Err(Fault::new(
            FaultKind::NotFound,
            format!("no job `{job}` is remembered; old ones are forgotten"),
        )),
    }
}

pub(super) fn log(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let look: Look = command.args()?;
    let server = scene.server;
    let journal = server.journal();
    let messages: Vec<_> = journal.last(look.last.unwrap_or(USUAL)).collect();
    Reply::new(&json!({ "messages": messages }))
}

pub(super) async fn devices(scene: &Scene<'_>) -> Result<Reply, Fault> {
    #[derive(Deserialize)]
    struct Allowed {
        devices_allowed: BTreeMap<String, IgnoredAny>,
    }
    let server = scene.server;
    let params = json!({"user_group": server.config.user_group});
    let allowed = server
        .control
        .ask("devices_allowed", params, Urgency::Ordinary);
    let allowed: Allowed = allowed.await?;
    let names: Vec<&String> = allowed.devices_allowed.keys().collect();
    Reply::new(&json!({"devices": names, "failed": {}}))
}

pub(super) async fn banner(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let known = {
        let jobs = scene.server.jobs();
        let is_up = jobs.link() == LinkState::Up;
        is_up.then(|| jobs.status().clone())
    };
    let status = match known {
        Some(status) => status,
        None => environment::look(scene.server).await?,
    };
    Reply::new(&json!({"server": "queueserver", "version": status.version()}))
}

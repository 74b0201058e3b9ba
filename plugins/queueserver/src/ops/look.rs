//! What can be looked at: state, jobs, output, devices.

use std::collections::BTreeMap;

use patchbay_sdk::model::args::{Look, Which};
use patchbay_sdk::model::{LinkState, Native, Status};
use patchbay_sdk::{Command, Fault, FaultKind, RawJson, Reply};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Scene;
use crate::environment;
use crate::wire::Urgency;

/// As many lines as `log` returns when nobody says how many.
const USUAL: u32 = 100;

/// The reply to `status`.
#[derive(Serialize)]
struct StatusReply {
    #[serde(flatten)]
    status: Status,
    /// What the environment does, in the server's words.
    environment: String,
}

pub(super) async fn status(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let look: Look = command.args()?;
    let native = match look.native {
        true => Some(Native::new("queueserver", raw_status(scene).await?)),
        false => None,
    };
    let jobs = scene.server.jobs();
    let reply = StatusReply {
        environment: jobs.status().worker_environment_state.clone(),
        status: Status {
            link: jobs.link(),
            run: jobs.run(),
            job: jobs.running_job(),
            queue: jobs.queued_jobs(),
            last: jobs.last().map(|job| job.record.clone()),
            prompt: None,
            native,
        },
    };
    drop(jobs);
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
    let messages: Vec<_> = journal.last(look.last.unwrap_or(USUAL) as usize).collect();
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

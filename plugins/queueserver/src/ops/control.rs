//! Holding what runs, and letting it go on.

use std::time::Duration;

use patchbay_sdk::model::LinkState;
use patchbay_sdk::model::args::{At, Point};
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::json;

use super::{Scene, conflict};
use crate::server::Server;
use crate::shim;

/// The shim answers within this, or its process is not well.
pub(super) const SHIM: Duration = Duration::from_secs(12);

/// What runs.
pub(super) struct Running {
    pub id: String,
    /// The shim has it in hand; else the Run Engine has.
    pub is_script: bool,
}

/// What runs, or why nothing can be done with it.
pub(super) fn running(server: &Server) -> Result<Running, Fault> {
    let jobs = server.jobs();
    if jobs.link() != LinkState::Up {
        let message = "the RE Manager cannot be reached at present";
        return Err(Fault::new(FaultKind::Unavailable, message));
    }
    if jobs.is_wedged() {
        return Err(conflict(
            "the RE Manager's worker does not answer any more; `environment` with `reset` mends that",
        ));
    }
    let job = jobs
        .running()
        .ok_or_else(|| conflict("nothing is running"))?;
    Ok(Running {
        id: job.record.id.clone(),
        is_script: job.is_own_script(),
    })
}

pub(super) async fn pause(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let point = command.args::<At>()?.to_pause()?;
    let server = scene.server;
    let running = running(server)?;
    if is_paused(server) {
        return Err(conflict("it is paused already"));
    }
    if running.is_script {
        let place = if point == Point::Step { "step" } else { "line" };
        beside(server, shim::pause(&running.id, place)).await?;
    } else {
        let option = if point == Point::Now {
            "immediate"
        } else {
            "deferred"
        };
        server
            .urgently("re_pause", json!({ "option": option }))
            .await?;
    }
    server.hurry.notify_one();
    Ok(Reply::null())
}

/// What is held goes on; if nothing is, what waits is run.
pub(super) async fn resume(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let server = scene.server;
    let (held, paused, waits, runs) = {
        let jobs = server.jobs();
        let held = jobs.running().filter(|_| jobs.is_held());
        let held = held.map(|job| job.record.id.clone());
        let paused = jobs.status().manager_state == "paused";
        let waits = jobs.waiting().next().is_some();
        (held, paused, waits, jobs.running().is_some())
    };
    match held {
        _ if paused => server.urgently("re_resume", json!({})).await?,
        Some(job) => beside(server, shim::resume(&job)).await?,
        None if runs => return Err(conflict("it is not paused")),
        None if waits => server.jobs().resume(),
        None => return Err(conflict("nothing is paused, and nothing waits")),
    }
    server.hurry.notify_one();
    Ok(Reply::null())
}

pub(super) fn is_paused(server: &Server) -> bool {
    let jobs = server.jobs();
    jobs.is_held() || jobs.status().manager_state == "paused"
}

/// Says something to the script that runs.
pub(super) async fn beside(server: &Server, text: String) -> Result<(), Fault> {
    server
        .run_beside(text, SHIM)
        .await
        .map_err(|fault| match fault.kind {
            FaultKind::Invalid if fault.message.contains("that script does not run") => {
                conflict("the script has not quite begun, or has just ended")
            }
            _ => fault,
        })
}

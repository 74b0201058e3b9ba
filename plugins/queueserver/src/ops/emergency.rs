//! Stops everything at once: what waits is removed, what runs is halted, and if it does not stop, its environment is
//! destroyed. It is no safety function.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::model::Level;
use patchbay_sdk::{Fault, FaultKind, Reply};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Scene;
use super::control::beside;
use crate::config::seconds;
use crate::environment;
use crate::observer::drop_all;
use crate::server::Server;
use crate::shape::Status;
use crate::shim;

const LOOK: Duration = Duration::from_millis(50);
/// So long what waits may take to be removed.
const REMOVED: Duration = Duration::from_secs(6);
/// So long the server's history may take to say that what ran has ended.
const SETTLED: Duration = Duration::from_secs(15);

pub(super) async fn emergency(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let (server, user) = (Arc::clone(scene.server), scene.user.to_owned());
    let task = tokio::spawn(async move { stop_everything(&server, &user).await });
    task.await.unwrap_or_else(|_| {
        let message = "the gateway failed at this request, see its log";
        Err(Fault::new(FaultKind::Internal, message))
    })?;
    Ok(Reply::null())
}

async fn stop_everything(server: &Arc<Server>, user: &str) -> Result<(), Fault> {
    server.jobs().set_going(false);
    server.remark(Level::Warning, None, format!("emergency stop by {user}"));
    // The queue must not go on to the next job; one that stands says no to this.
    let _ = server.urgently("queue_stop", json!({})).await;
    remove_waiting(server).await;
    // One that is dead would only hold up the RE Manager.
    let wedged = server.jobs().is_wedged();
    if wedged || !ends_in_time(server, user).await? {
        let text = "it does not stop; its environment is destroyed".to_owned();
        server.remark(Level::Warning, None, text);
        environment::destroy(server).await?;
    }
    finish(server).await
}

/// Not behind others without end, who wait until the RE Manager starts what it is about to start.
async fn remove_waiting(server: &Arc<Server>) {
    if timeout(REMOVED, drop_all(server)).await.is_err() {
        tracing::warn!("waiting jobs could not be removed in time; none of them is started");
    }
}

/// Has what runs end, whatever that is at each look: it may have begun, been paused or ended by itself since the last one.
async fn ends_in_time(server: &Arc<Server>, user: &str) -> Result<bool, Fault> {
    let end = Instant::now() + seconds(server.config.emergency_grace_s);
    let (mut told, mut was_idle) = (None, false);
    loop {
        let status = environment::look(server).await?;
        // Once is not enough: the RE Manager says so between any two items as well.
        if status.is_idle() && was_idle {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(status.is_idle());
        }
        was_idle = status.is_idle();
        if !was_idle {
            // What is refused now is tried again with the next look.
            let _ = timeout_at(end, end_it(server, &status, user, &mut told)).await;
        }
        sleep(LOOK).await;
    }
}

/// One step towards the end of what runs.
async fn end_it(server: &Arc<Server>, status: &Status, user: &str, told: &mut Option<String>) {
    if status.is_executing() && !status.queue_stop_pending {
        let _ = server.urgently("queue_stop", json!({})).await;
    }
    let is_paused = status.manager_state == "paused";
    let Some(script) = running_script(server, status) else {
        let step = match status.re_state.as_deref() {
            _ if is_paused => server.urgently("re_halt", json!({})).await,
            Some("running") if !status.pause_pending => {
                let now = json!({"option": "immediate"});
                server.urgently("re_pause", now).await
            }
            _ => Ok(()),
        };
        return said("the Run Engine", step);
    };
    if told.as_ref() != Some(&script) {
        // Only once, so that its own cleaning up is not interrupted too.
        match beside(server, shim::stop(&script, "now", user)).await {
            Ok(()) => *told = Some(script),
            Err(fault) => return said("the script", Err(fault)),
        }
    }
    if is_paused {
        // The plan hears of the stop when it goes on, and no statement of the script is run any more.
        said(
            "the Run Engine",
            server.urgently("re_resume", json!({})).await,
        );
    }
}

/// The script that runs, also if the observer has not seen it begin yet.
fn running_script(server: &Server, status: &Status) -> Option<String> {
    let mut jobs = server.jobs();
    let item = status.running_item_uid.as_deref();
    let running = item.map_or_else(|| jobs.running(), |uid| jobs.of_item(uid));
    let script = running.filter(|job| job.is_own_script())?.record.id.clone();
    let notices = jobs.set_stopping(Some(&script));
    drop(jobs);
    server.tell(notices);
    Some(script)
}

fn said(what: &str, step: Result<(), Fault>) {
    if let Err(fault) = step {
        tracing::debug!(%fault, "{what} does not stop yet");
    }
}

/// What was put back must not run either.
async fn finish(server: &Arc<Server>) -> Result<(), Fault> {
    remove_waiting(server).await;
    let _ = server.urgently("queue_stop_cancel", json!({})).await;
    let end = Instant::now() + SETTLED;
    loop {
        server.looked(Duration::from_secs(2)).await;
        if server.jobs().running().is_none() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(Fault::new(
                FaultKind::UnknownOutcome,
                "the RE Manager is idle, but what ran is not known to have ended; ask for `status`",
            ));
        }
    }
}

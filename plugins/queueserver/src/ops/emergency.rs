//! Stops everything at once: what waits is removed, what runs is halted, and if it does not stop, its environment is
//! destroyed. It is no safety function.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::model::args::Point;
use patchbay_sdk::model::{JobKind, Level};
use patchbay_sdk::{Fault, FaultKind, Reply};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::Scene;
use super::stop::end_plan;
use crate::config::seconds;
use crate::environment;
use crate::observer::drop_all;
use crate::server::Server;
use crate::shim;

const LOOK: Duration = Duration::from_millis(50);
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
    drop_all(server).await;
    let script = {
        let mut jobs = server.jobs();
        let running = jobs
            .running()
            .map(|job| (job.record.id.clone(), job.record.kind));
        let _ = jobs.set_stopping(running.as_ref().map(|(id, _)| &**id));
        running.filter(|(_, kind)| *kind == Some(JobKind::Script))
    };
    let grace = seconds(server.config.emergency_grace_s);
    let end = Instant::now() + grace;
    let gently = async {
        match &script {
            Some((id, _)) => {
                let _ = server
                    .upload(shim::stop(id, "now", user), true, false)
                    .await;
            }
            None => {
                let _ = end_plan(server, Point::Immediate, "re_halt").await;
            }
        }
    };
    // One that is dead would only hold up the RE Manager.
    let wedged = server.jobs().is_wedged();
    if !wedged && !environment::look(server).await?.is_idle() {
        let _ = timeout(grace, gently).await;
    }
    loop {
        if environment::look(server).await?.is_idle() {
            return finish(server).await;
        }
        if wedged || Instant::now() >= end {
            break;
        }
        sleep(LOOK).await;
    }
    server.remark(
        Level::Warning,
        None,
        "it does not stop; its environment is destroyed".to_owned(),
    );
    environment::destroy(server).await?;
    finish(server).await
}

/// What was put back must not run either.
async fn finish(server: &Arc<Server>) -> Result<(), Fault> {
    drop_all(server).await;
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

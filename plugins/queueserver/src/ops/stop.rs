//! Ending what runs.
//!
//! A script is ended by the shim, which raises an exception at the next line, before the next statement, or where it is. A
//! plan has to be paused first; the RE Manager refuses to stop one that runs.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::model::args::{At, Point};
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Scene;
use super::control::{Running, beside, running};
use crate::environment::look;
use crate::server::Server;
use crate::shim;

const LOOK: Duration = Duration::from_millis(50);
/// As long a pause may take to become one.
const PAUSED: Duration = Duration::from_secs(20);

pub(super) async fn stop(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let point = command.args::<At>()?.to_stop();
    end(scene, point, "re_stop").await
}

pub(super) async fn abort(scene: &Scene<'_>) -> Result<Reply, Fault> {
    end(scene, Point::Immediate, "re_abort").await
}

/// Goes on when nobody waits for it any more: a plan must not be left paused half-way.
async fn end(scene: &Scene<'_>, point: Point, method: &'static str) -> Result<Reply, Fault> {
    let running = running(scene.server)?;
    let notices = scene.server.jobs().set_stopping(Some(&running.id));
    scene.server.tell(notices);
    let (server, user) = (Arc::clone(scene.server), scene.user.to_owned());
    let task = tokio::spawn(async move {
        let ended = match running.is_script {
            true => end_script(&server, &running, point, &user).await,
            false => end_plan(&server, point, method).await,
        };
        if ended.is_err() {
            let notices = server.jobs().set_stopping(None);
            server.tell(notices);
        }
        server.hurry.notify_one();
        ended
    });
    task.await.unwrap_or_else(|_| {
        let message = "the gateway failed at this request, see its log";
        Err(Fault::new(FaultKind::Internal, message))
    })?;
    Ok(Reply::null())
}

async fn end_script(
    server: &Arc<Server>,
    running: &Running,
    point: Point,
    user: &str,
) -> Result<(), Fault> {
    let place = match point {
        Point::Line => "line",
        Point::Step => "step",
        Point::Now | Point::Immediate => "now",
    };
    let paused = look(server).await?.manager_state == "paused";
    beside(server, shim::stop(&running.id, place, user)).await?;
    match paused {
        // Another client has paused the Run Engine; the plan hears of the stop when it goes on.
        true => server.urgently("re_resume", json!({})).await,
        false => Ok(()),
    }
}

/// Pauses it, waits until it is, and ends it.
async fn end_plan(server: &Arc<Server>, point: Point, method: &'static str) -> Result<(), Fault> {
    let option = match point {
        Point::Line | Point::Step => "deferred",
        Point::Now | Point::Immediate => "immediate",
    };
    let end = Instant::now() + PAUSED;
    let (mut asked, mut was_idle) = (false, false);
    loop {
        let status = look(server).await?;
        match status.manager_state.as_str() {
            "paused" => return server.urgently(method, json!({})).await,
            // It has ended by itself meanwhile. The RE Manager says so between any two items as well.
            "idle" if asked || was_idle => return Ok(()),
            "idle" => was_idle = true,
            _ if !asked => {
                match server
                    .urgently("re_pause", json!({ "option": option }))
                    .await
                {
                    Ok(()) => asked = true,
                    // Just before it begins, and just after it has ended, it cannot be paused.
                    Err(fault) if fault.kind == FaultKind::Conflict && Instant::now() < end => {}
                    Err(fault) => return Err(fault),
                }
            }
            _ => {}
        }
        if Instant::now() >= end {
            let message = "it has been asked to pause, and has not yet; ask again, or `abort`";
            return Err(Fault::new(FaultKind::Timeout, message));
        }
        sleep(LOOK).await;
    }
}

//! Pause, resume, stop: straight to the worker, so that nothing slow goes before them.

use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde::Deserialize;
use serde_json::json;

use super::{Scene, end_hard};
use crate::config::OnStop;
use crate::foreman::{Environment, Order};

#[derive(Deserialize)]
struct At {
    #[serde(default)]
    at: Option<Point>,
}

/// Where a script is held or stopped.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Point {
    /// Before the next line.
    Line,
    /// The same here.
    Step,
    /// Wherever it is, by an exception.
    Now,
    /// The same; and if it does not end soon, its process does.
    Immediate,
}

#[derive(Deserialize)]
struct Do {
    #[serde(rename = "do")]
    what: Environment,
}

/// At the next line in any case: what a line has begun, nobody can hold.
pub(super) fn pause(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let At { at } = command.args()?;
    if at == Some(Point::Immediate) {
        let text = "`pause`: `at` must be `line`, `step` or `now`";
        return Err(Fault::new(FaultKind::Invalid, text));
    }
    let (job, worker) = scene.board.in_hand()?;
    worker.tell(&json!({"do": "pause", "job": job}))?;
    Ok(Reply::null())
}

/// Lets a script go on that is held, and begin what waits.
pub(super) fn resume(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let was_held = scene.board.release();
    match scene.board.in_hand() {
        Ok((job, worker)) => worker.tell(&json!({"do": "resume", "job": job}))?,
        Err(_) if was_held => {}
        Err(fault) => return Err(fault),
    }
    Ok(Reply::null())
}

pub(super) async fn stop(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let At { at } = command.args()?;
    let at = at.unwrap_or(Point::Now);
    if at == Point::Immediate {
        return abort(scene).await;
    }
    let halt = scene
        .board
        .stopping(&format!("stopped by {}", scene.user))?;
    let now = at == Point::Now;
    halt.worker
        .tell(&json!({"do": "stop", "job": halt.job, "now": now}))?;
    drop_queue(scene).await?;
    Ok(Reply::null())
}

/// The hardest stop that is no emergency: if the script does not end soon, its process is killed.
pub(super) async fn abort(scene: &Scene<'_>) -> Result<Reply, Fault> {
    let halt = scene
        .board
        .stopping(&format!("aborted by {}", scene.user))?;
    let (board, grace) = (scene.board.clone(), scene.settings.abort_grace);
    tokio::spawn(async move { end_hard(&board, &halt, grace).await });
    drop_queue(scene).await?;
    Ok(Reply::null())
}

async fn drop_queue(scene: &Scene<'_>) -> Result<(), Fault> {
    match scene.settings.on_stop {
        OnStop::Drop => scene.desk.order(Order::Remove(None)).await,
        OnStop::Hold | OnStop::Continue => Ok(()),
    }
}

pub(super) async fn environment(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Do { what } = command.args()?;
    scene.desk.order(Order::Environment(what)).await?;
    Ok(Reply::null())
}

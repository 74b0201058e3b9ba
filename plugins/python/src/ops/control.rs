//! Pause, resume, stop: straight to the worker, so that nothing slow goes before them.

use patchbay_sdk::model::args::{At, Environment, Point};
use patchbay_sdk::{Command, Fault, Reply};
use serde_json::json;

use super::{Scene, end_hard};
use crate::config::OnStop;
use crate::foreman::Order;

/// At the next line in any case: what a line has begun, nobody can hold.
pub(super) fn pause(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    command.args::<At>()?.to_pause()?;
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
    let point = command.args::<At>()?.to_stop();
    if point == Point::Immediate {
        return abort(scene).await;
    }
    let halt = scene
        .board
        .stopping(&format!("stopped by {}", scene.user))?;
    // A line is the smallest step here.
    let now = point == Point::Now;
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
    let Environment { r#do: what } = command.args()?;
    scene.desk.order(Order::Environment(what)).await?;
    Ok(Reply::null())
}

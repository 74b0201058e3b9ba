//! The emergency stop, and how a script is ended that does not want to.

use std::time::Duration;

use patchbay_sdk::model::Level;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use super::Scene;
use crate::board::{Board, Halt};
use crate::foreman::Order;
use crate::worker::Hard;

/// Between a signal that can be caught and one that cannot.
const LAST_CHANCE: Duration = Duration::from_millis(300);

/// How long the system may take to end a process that was killed.
const DYING: Duration = Duration::from_secs(5);

/// Ends what runs and removes what waits; answered when both is done. Also if the disk does not answer, what runs ends.
pub(super) async fn emergency(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let why = format!("emergency stop by {}", scene.user);
    tracing::warn!(user = scene.user, "emergency stop");
    let halt = scene.board.halt(&why);
    scene.board.note(Level::Warning, None, why);
    let ended = async {
        match &halt {
            None => true,
            Some(halt) => {
                // It goes on if nobody waits for it any more.
                let (board, grace) = (scene.board.clone(), scene.settings.emergency_grace);
                let halt = Halt {
                    job: halt.job.clone(),
                    worker: halt.worker.clone(),
                };
                let ending = tokio::spawn(async move { end_hard(&board, &halt, grace).await });
                ending.await.unwrap_or(false)
            }
        }
    };
    let emptied = timeout_at(command.deadline, scene.desk.order(Order::Remove(None)));
    let (ended, emptied) = tokio::join!(ended, emptied);
    match (ended, emptied) {
        (true, Ok(Ok(()))) => Ok(Reply::null()),
        (true, Ok(Err(fault))) => Err(not_emptied(&fault.message)),
        (true, Err(_)) => Err(not_emptied("the disk does not answer")),
        (false, _) => Err(Fault::new(
            FaultKind::UnknownOutcome,
            "the Python process was killed; whether it is gone is not known yet, `status` shows it",
        )),
    }
}

fn not_emptied(why: &str) -> Fault {
    let text = format!(
        "what ran has ended, and nothing else begins; but what waits could not be removed on disk: {why}"
    );
    Fault::new(FaultKind::UnknownOutcome, text)
}

/// Ends a job: by an exception; if it has not ended after `grace`, by a signal, and then with its process. Whether it has.
pub async fn end_hard(board: &Board, halt: &Halt, grace: Duration) -> bool {
    let order = json!({"do": "stop", "job": halt.job, "now": true});
    let heard = halt.worker.tell(&order).is_ok();
    if heard && has_ended(board, &halt.job, grace).await {
        return true;
    }
    let process = halt.worker.process();
    tracing::warn!(
        job = halt.job,
        pid = process.id(),
        "a script does not end; its process is killed"
    );
    process.end(Hard::Terminate);
    if has_ended(board, &halt.job, LAST_CHANCE).await {
        return true;
    }
    process.end(Hard::Kill);
    has_ended(board, &halt.job, DYING).await
}

async fn has_ended(board: &Board, job: &str, within: Duration) -> bool {
    let mut changes = board.changes();
    let runs = || board.running().as_deref() == Some(job);
    let until = Instant::now() + within;
    let ended = async {
        while runs() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    timeout(until.saturating_duration_since(Instant::now()), ended)
        .await
        .is_ok()
}

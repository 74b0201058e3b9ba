//! Changing what waits, while the RE Manager goes on to the next item.
//!
//! It looks at its first item, readies its worker, and only then takes the item. If that is no longer there, and no other
//! one either, it fails without a word, and says for ever that it starts the queue. So nothing is taken away in between.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::Fault;
use serde_json::{Value, json};
use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep};

use crate::environment;
use crate::server::Server;
use crate::wire::Urgency;

const LOOK: Duration = Duration::from_millis(20);
/// As long it may take to ready its worker, and more. One that takes longer is stuck already, and nothing can make it worse.
const READIED: Duration = Duration::from_secs(5);

/// Starts it.
///
/// # Errors
/// As [`Server::order`].
pub async fn start(server: &Arc<Server>) -> Result<(), Fault> {
    let _turn = server.queue.lock().await;
    server.order("queue_start", json!({})).await
}

/// Takes an item away.
///
/// # Errors
/// As [`Server::order`]; a refusal if it has begun meanwhile.
pub async fn remove(server: &Arc<Server>, uid: &str) -> Result<(), Fault> {
    let params = json!({ "uid": uid });
    change(server, "queue_item_remove", params).await
}

/// Takes all of the gateway's own items away that still wait.
///
/// # Errors
/// As [`Server::order`].
pub async fn remove_own(server: &Arc<Server>, urgency: Urgency) -> Result<(), Fault> {
    let _turn = between_starts(server).await?;
    let uids: Vec<String> = {
        let jobs = server.jobs();
        let own = jobs.waiting().filter(|job| !job.record.external);
        own.map(|job| job.uid.clone()).collect()
    };
    if uids.is_empty() {
        return Ok(());
    }
    // What it cannot remove it passes over, and says that it has done so, whatever this parameter says.
    let params = json!({"uids": uids, "ignore_missing": true});
    let method = "queue_item_remove_batch";
    server.control.tell(method, params, urgency).await
}

/// Changes it in another way.
///
/// # Errors
/// As [`Server::order`].
pub async fn change(
    server: &Arc<Server>,
    method: &'static str,
    params: Value,
) -> Result<(), Fault> {
    let _turn = between_starts(server).await?;
    server.order(method, params).await
}

/// Waits until no item is being started, and keeps us from starting the queue.
async fn between_starts(server: &Arc<Server>) -> Result<MutexGuard<'_, ()>, Fault> {
    let turn = server.queue.lock().await;
    let end = Instant::now() + READIED;
    while environment::look(server).await?.is_starting_item() && Instant::now() < end {
        sleep(LOOK).await;
    }
    Ok(turn)
}

//! The environment in which everything runs: opening it, and loading the shim into it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use patchbay_sdk::model::Level;
use patchbay_sdk::{EventKind, Fault, FaultKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::config::{Environment, seconds};
use crate::server::Server;
use crate::shape::{SCRIPT_PLAN, Status};
use crate::shim;
use crate::wire::Urgency;

const LOOK: Duration = Duration::from_millis(100);
/// As long it takes the server to learn of a new plan, and more.
const LISTED: Duration = Duration::from_secs(15);

/// So long whoever closes it waits for one who opens it.
const OPENED: Duration = Duration::from_secs(10);

/// What is known of the environment's readiness.
#[derive(Debug, Default)]
pub struct Opening {
    /// One opens or closes it at a time.
    turn: Mutex<()>,
    /// One destroys it at a time.
    end: Mutex<()>,
    /// The shim is in it.
    ready: AtomicBool,
}

impl Opening {
    /// Whether scripts can be queued.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// It has gone.
    pub fn forget(&self) {
        self.ready.store(false, Ordering::Release);
    }
}

/// Opens the environment if it is closed, and loads the shim if it lacks it. Goes on when nobody waits for it any more.
///
/// # Errors
/// Why there is none; nothing was queued then.
pub async fn ready(server: &Arc<Server>) -> Result<(), Fault> {
    if server.opening.is_ready() {
        return Ok(());
    }
    let opening = Arc::clone(server);
    let task = tokio::spawn(async move { open_and_load(&opening, false).await });
    task.await.unwrap_or_else(|_| {
        let message = "opening the environment failed, see the gateway's log";
        Err(Fault::new(FaultKind::Internal, message))
    })
}

/// As [`ready`], also where the operator wants it opened by hand only.
///
/// # Errors
/// As [`ready`].
pub async fn open_and_load(server: &Arc<Server>, by_hand: bool) -> Result<(), Fault> {
    let _turn = server.opening.turn.lock().await;
    if server.opening.is_ready() {
        return Ok(());
    }
    let status = look(server).await?;
    if !status.worker_environment_exists {
        open(server, &status, by_hand).await?;
    }
    load(server).await?;
    server.opening.ready.store(true, Ordering::Release);
    server.emit(EventKind::Environment, None, &json!({"change": "open"}));
    server.emit(EventKind::Capabilities, None, &json!({}));
    server.hurry.notify_one();
    Ok(())
}

/// Destroys it, whatever runs in it, and waits until it is gone.
///
/// # Errors
/// If it cannot be, or is not gone within the deadline.
pub async fn destroy(server: &Arc<Server>) -> Result<(), Fault> {
    begin_end(server).await?;
    server.opening.forget();
    gone(server).await
}

/// Not while it is being destroyed already: the RE Manager would take that for the end of the next one.
async fn begin_end(server: &Arc<Server>) -> Result<(), Fault> {
    let _turn = server.opening.end.lock().await;
    let status = look(server).await?;
    let is_there = status.worker_environment_exists || status.is_being_opened();
    match is_there && status.manager_state != "destroying_environment" {
        true => server.urgently("environment_destroy", json!({})).await,
        false => Ok(()),
    }
}

/// Closes it, if nothing runs in it. The next opening, where it is opened whenever it is closed, waits for that.
///
/// # Errors
/// If something does, or it is just being opened.
pub async fn close(server: &Arc<Server>) -> Result<(), Fault> {
    let turn = timeout(OPENED, server.opening.turn.lock()).await;
    let _turn = turn.map_err(|_| {
        let message = "the environment is just being opened; ask again when it is open";
        Fault::new(FaultKind::Conflict, message)
    })?;
    server.order("environment_close", json!({})).await?;
    server.opening.forget();
    gone(server).await
}

async fn gone(server: &Arc<Server>) -> Result<(), Fault> {
    let end = Instant::now() + seconds(server.config.environment_deadline_s);
    while Instant::now() < end {
        let status = look(server).await?;
        // Where it is opened whenever it is closed, the next one may be on its way.
        let ended = status.is_idle() || status.is_being_opened();
        if ended && !status.worker_environment_exists {
            server.emit(EventKind::Environment, None, &json!({"change": "closed"}));
            server.hurry.notify_one();
            return Ok(());
        }
        sleep(LOOK).await;
    }
    let message =
        "the environment has not ended in time; ask for `status`, or restart the RE Manager";
    Err(Fault::new(FaultKind::Timeout, message))
}

async fn open(server: &Arc<Server>, status: &Status, by_hand: bool) -> Result<(), Fault> {
    if server.config.environment == Environment::Manual && !by_hand {
        let message = "the environment is closed, and is opened by hand only (`environment = \"manual\"`): ask an expert for \
            the operation `environment` with `open`";
        return Err(Fault::new(FaultKind::Conflict, message));
    }
    if status.is_idle() {
        server.order("environment_open", json!({})).await?;
    }
    let end = Instant::now() + seconds(server.config.environment_deadline_s);
    let mut began = false;
    loop {
        let status = look(server).await?;
        began |= !status.is_idle();
        if status.worker_environment_exists && !status.is_being_opened() {
            return Ok(());
        }
        // That it has failed is said on the console only.
        if began && status.is_idle() {
            let said = last_error(server).await;
            let message = format!(
                "the environment could not be opened: {said}; mend the server's startup code, then submit again"
            );
            return Err(Fault::new(FaultKind::Unavailable, message).retry(false));
        }
        if Instant::now() >= end {
            let message =
                "the environment has not opened in time (`environment_deadline_s`); see the log";
            return Err(Fault::new(FaultKind::Timeout, message));
        }
        sleep(LOOK).await;
    }
}

/// Why it did not open: the last error that the worker has told in the server's log.
async fn last_error(server: &Server) -> String {
    // It may still be on its way.
    server.looked(Duration::from_secs(2)).await;
    let journal = server.journal();
    let lines: Vec<_> = journal.last(200).collect();
    let mut errors = lines
        .iter()
        .rev()
        .filter(|line| line.level == Level::Error && line.logger.ends_with(".worker"));
    let said = errors.next().and_then(|line| {
        let mut text = line.text.lines().rev();
        text.find(|line| !line.trim().is_empty())
    });
    match said {
        Some(said) => format!("“{said}”"),
        None => "its log says why".to_owned(),
    }
}

/// While something runs, it is loaded beside that; the server knows the plan then already, or learns of it later.
async fn load(server: &Arc<Server>) -> Result<(), Fault> {
    let busy = !look(server).await?.is_idle();
    let task = server.upload(shim::text(), busy, !busy).await?;
    let result = server.task(&task, LISTED).await?;
    if !result.success {
        let message = format!(
            "what scripts need could not be loaded into the environment: {}",
            crate::server::raised(&result)
        );
        return Err(Fault::new(FaultKind::Unavailable, message).retry(false));
    }
    listed(server).await
}

/// Waits until the server knows the plan that runs scripts.
async fn listed(server: &Arc<Server>) -> Result<(), Fault> {
    #[derive(Deserialize)]
    struct Allowed {
        plans_allowed: BTreeMap<String, IgnoredAny>,
    }
    let end = Instant::now() + LISTED;
    loop {
        let params = json!({"user_group": server.config.user_group});
        let allowed: Allowed = server
            .control
            .ask("plans_allowed", params, Urgency::Ordinary)
            .await?;
        if allowed.plans_allowed.contains_key(SCRIPT_PLAN)
            && look(server).await?.manager_state != "executing_task"
        {
            return Ok(());
        }
        if Instant::now() >= end {
            let message = format!(
                "the user group `{}` may not run the plan `{SCRIPT_PLAN}`, which runs scripts: allow it in the server's \
                 user_group_permissions.yaml",
                server.config.user_group
            );
            return Err(Fault::new(FaultKind::Unsupported, message));
        }
        sleep(LOOK).await;
    }
}

/// The server's state, now.
///
/// # Errors
/// If it cannot be reached.
pub async fn look(server: &Server) -> Result<Status, Fault> {
    server
        .control
        .ask("status", json!({}), Urgency::Urgent)
        .await
}

//! Sees to it that what waits is run, as the policies say; and that nothing runs twice.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::FaultKind;
use patchbay_sdk::model::{JobState, Level};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::{Environment, Then};
use crate::environment;
use crate::jobs::{Ended, Found, How};
use crate::queue;
use crate::server::{Server, now};
use crate::shape::{Ending, Status};
use crate::shim;
use crate::wire::Urgency;

/// After a try to start the queue in vain.
const AGAIN: Duration = Duration::from_millis(500);
/// After the environment could not be opened.
const REST: Duration = Duration::from_secs(60);
/// How long a script that runs alone may run: as long as it likes.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Default)]
pub(super) struct Driving {
    tried: Option<Instant>,
    opening: Option<JoinHandle<bool>>,
    failed: Option<Instant>,
    copies: usize,
    /// A script that runs alone, taken from the queue and not yet begun.
    due: Option<String>,
}

impl Driving {
    /// Whether the queue must be looked at although it seems unchanged.
    pub(super) fn is_puzzled(&self) -> bool {
        self.copies > 0
    }

    pub(super) async fn drive(&mut self, server: &Arc<Server>, status: &Status, found: Found) {
        for (ended, _) in &found.ended {
            apply(server, ended).await;
        }
        if found.ordered {
            hold(server, "another client's order has stopped the queue");
        }
        self.copies = found.copies.len();
        for uid in &found.copies {
            match queue::remove(server, uid).await {
                Ok(()) => tracing::info!(uid, "removed the copy of a job that has ended"),
                Err(fault) => {
                    tracing::warn!(%fault, "the copy of a job that has ended stays in the queue")
                }
            }
        }
        self.due = found.due.or(self.due.take());
        if !found.copies.is_empty() || !status.is_idle() {
            return;
        }
        if let Some(due) = self.due.take() {
            self.due = run_alone(server, due).await;
            return;
        }
        if server.config.environment == Environment::AtStart && !status.worker_environment_exists {
            self.open(server).await;
        }
        self.start_queue(server, status).await;
    }

    /// Once at a time, and after a failure not again for a minute.
    async fn open(&mut self, server: &Arc<Server>) {
        if let Some(opening) = self.opening.take_if(|opening| opening.is_finished()) {
            self.failed = (!opening.await.unwrap_or(false)).then(Instant::now);
        }
        let rests = self.failed.is_some_and(|failed| failed.elapsed() < REST);
        if rests || self.opening.is_some() {
            return;
        }
        let server = Arc::clone(server);
        self.opening = Some(tokio::spawn(async move {
            let opened = environment::ready(&server).await;
            if let Err(fault) = &opened {
                tracing::error!("{fault}");
                server.remark(Level::Error, None, fault.message.clone());
            }
            opened.is_ok()
        }));
    }

    async fn start_queue(&mut self, server: &Arc<Server>, status: &Status) {
        let first = {
            let jobs = server.jobs();
            let is_free = jobs.is_going() && jobs.running().is_none() && !jobs.is_doubtful();
            let first = jobs.waiting().next().filter(|_| is_free);
            first.map(|job| (job.record.id.clone(), job.uid.clone(), job.alone))
        };
        let Some((id, uid, alone)) = first else {
            return;
        };
        if server.jobs().is_stuck() {
            let why = format!(
                "another client's job `{id}` has failed, and the RE Manager has put it back at the front of its queue; \
                 remove it, or `resume` runs it again"
            );
            hold(server, &why);
            return;
        }
        if self.tried.is_some_and(|tried| tried.elapsed() < AGAIN) {
            return;
        }
        if !status.worker_environment_exists || !server.opening.is_ready() {
            self.open(server).await;
            return;
        }
        self.tried = Some(Instant::now());
        if alone {
            // Taken from the queue first: should we be killed in between, it is lost rather than run twice.
            match queue::remove(server, &uid).await {
                Ok(()) => self.due = run_alone(server, id).await,
                Err(fault) => {
                    tracing::warn!(%fault, "a script that runs alone cannot be taken from the queue")
                }
            }
            return;
        }
        if let Err(fault) = queue::start(server).await {
            tracing::debug!(%fault, "the queue does not start");
        }
        server.hurry.notify_one();
    }
}

/// What becomes of those that wait.
async fn apply(server: &Arc<Server>, ended: &Ended) {
    let config = &server.config;
    let (then, what) = match ended.how {
        How::Well => return,
        How::Failed => (config.on_failure, "failed"),
        How::Stopped => (config.on_stop, "was stopped"),
        How::Aborted => (config.on_abort, "was aborted"),
    };
    let has_copy = ended.how != How::Stopped;
    let keeps = config.requeued == crate::config::Requeued::Keep;
    match then {
        // What the server has put back would run first.
        Then::Continue if has_copy && (ended.external || keeps) => {
            hold(
                server,
                &format!(
                    "a job {what}, and the RE Manager has put it back at the front of its queue"
                ),
            );
        }
        Then::Continue => {}
        Then::Hold => hold(server, &format!("a job {what}")),
        Then::Drop => {
            drop_all(server).await;
            server.jobs().set_going(false);
        }
    }
}

fn hold(server: &Server, why: &str) {
    let mut jobs = server.jobs();
    let waiting = jobs.waiting().count();
    let was_going = jobs.is_going();
    jobs.set_going(false);
    drop(jobs);
    if was_going && waiting > 0 {
        let text = format!(
            "{why}: {waiting} waiting jobs are not run until somebody says `resume` or submits another"
        );
        server.remark(Level::Warning, None, text);
    }
}

/// Removes the gateway's jobs from the queue.
pub(crate) async fn drop_all(server: &Arc<Server>) {
    if let Err(fault) = queue::remove_own(server, Urgency::Urgent).await {
        tracing::warn!(%fault, "waiting jobs could not be removed");
    }
}

/// Runs a script that calls the Run Engine: it is uploaded, and its task says how it ended. Its id comes back if the server
/// was not quite idle yet.
async fn run_alone(server: &Arc<Server>, id: String) -> Option<String> {
    let script = {
        let jobs = server.jobs();
        let waits = jobs
            .get(&id)
            .filter(|job| job.record.state == JobState::Queued);
        waits.map(|job| {
            let name = job.record.name.as_deref().unwrap_or("script");
            shim::foreground(&job.body, &id, name)
        })?
    };
    match server.upload(script, false, false).await {
        Ok(task) => {
            let notices = server.jobs().uploaded(&id, &task, now());
            server.tell(notices);
            let server = Arc::clone(server);
            tokio::spawn(async move { follow_alone(&server, &id, &task).await });
            None
        }
        Err(fault) if fault.kind == FaultKind::Conflict => Some(id),
        Err(fault) => {
            let state = match fault.kind {
                FaultKind::UnknownOutcome => JobState::Unknown,
                _ => JobState::Failed,
            };
            end_alone(server, &id, fault.message, String::new(), state);
            None
        }
    }
}

async fn follow_alone(server: &Arc<Server>, id: &str, task: &str) {
    loop {
        match server.task(task, FOREVER).await {
            Ok(result) if result.success => {
                return end_alone(
                    server,
                    id,
                    String::new(),
                    String::new(),
                    JobState::Succeeded,
                );
            }
            Ok(result) => {
                let msg = crate::server::raised(&result);
                return end_alone(server, id, msg, result.traceback, JobState::Failed);
            }
            Err(fault) if fault.kind == FaultKind::UnknownOutcome => {
                return end_alone(server, id, fault.message, String::new(), JobState::Lost);
            }
            // The link is down; the script goes on.
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

fn end_alone(server: &Arc<Server>, id: &str, msg: String, traceback: String, state: JobState) {
    let exit = match state {
        JobState::Succeeded => "completed",
        JobState::Failed => "failed",
        _ => "",
    };
    let ending = Ending {
        exit_status: exit.into(),
        msg,
        traceback,
        ..Ending::default()
    };
    server.ended_alone().push((id.to_owned(), ending, state));
    server.hurry.notify_one();
}

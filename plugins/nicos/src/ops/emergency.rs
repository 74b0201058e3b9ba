//! The emergency stop. Asking for it twice does no harm, so it is asked for by every way and until it has worked.

use std::time::Duration;

use futures_util::future::select_ok;
use patchbay_sdk::model::JobState;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Scene;
use crate::lane::{Answer, Lane};
use crate::pickle::Arg;
use crate::refusal;
use crate::shape::{self, Status, code};
use crate::verb::{self, Verb};

/// How long the urgent lane has before the other one is used, too.
const HEAD_START: Duration = Duration::from_secs(1);

/// A client that has no patience at all is still worth a try of this length.
const AT_LEAST: Duration = Duration::from_secs(1);

/// The first wait before the stop is asked for again, and the longest.
const AGAIN: Duration = Duration::from_millis(20);
const AGAIN_MOST: Duration = Duration::from_millis(200);

/// For how long a script that nobody knows may look like none: between two of its blocks.
const GAP: Duration = Duration::from_millis(300);

/// What is left for saying that the outcome is not known before the client stops listening.
const LAST_WORD: Duration = Duration::from_millis(200);

/// Stops what runs and drops what waits.
///
/// An acknowledgement is not enough. Between two blocks of a script NICOS holds that nothing runs, and only puts the
/// stop behind everything else in the queue; while a script is being stopped, it does nothing at all. So the stop is asked
/// for, and the queue emptied, until the jobs that were there have ended or the one that runs is being stopped.
pub(super) async fn emergency(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let deadline = command.deadline.max(Instant::now() + AT_LEAST);
    let give_up = deadline.min(Instant::now() + scene.settings.reply_deadline) - LAST_WORD;
    let jobs = scene.known.jobs().live();
    urge(scene, verb::EMERGENCY, Vec::new(), deadline).await?;
    let mut wait = AGAIN;
    loop {
        // What it has done is told by events.
        sleep(wait).await;
        if timeout_at(give_up, has_worked(scene, &jobs, deadline)).await == Ok(true) {
            return Ok(Reply::null());
        }
        wait = (wait * 5 / 4).min(AGAIN_MOST);
        if Instant::now() + wait >= give_up {
            return Err(not_seen());
        }
        // It has been acknowledged once; another try that fails is no reason to give up.
        let _ = timeout_at(give_up, again(scene, deadline)).await;
    }
}

/// The queue first: an emergency stop may be waiting in it, too, and be dropped with the rest.
async fn again(scene: &Scene<'_>, deadline: Instant) -> Result<(), Fault> {
    let everything = vec![Arg::from("*")];
    let emptied = urge(scene, verb::UNQUEUE, everything, deadline).await;
    emptied.and(urge(scene, verb::EMERGENCY, Vec::new(), deadline).await)
}

/// Whether the jobs that were there are done with. If none of them was known to run, another may.
async fn has_worked(scene: &Scene<'_>, jobs: &[(String, JobState)], deadline: Instant) -> bool {
    if !scene.known.jobs().are_stopping(jobs) {
        return false;
    }
    let one_ran = jobs.iter().any(|(_, state)| *state != JobState::Queued);
    one_ran || is_idle(scene, deadline).await
}

/// Whether the daemon has nothing to do, also a little later, or nothing but to stop.
async fn is_idle(scene: &Scene<'_>, deadline: Instant) -> bool {
    let activity = scene.known.jobs().activity();
    match look(scene, deadline).await {
        Some(code::STOPPING) => return true,
        Some(code::IDLE | code::IDLE_AFTER_FAILURE) => sleep(GAP).await,
        _ => return false,
    }
    let still = matches!(
        look(scene, deadline).await,
        Some(code::IDLE | code::IDLE_AFTER_FAILURE)
    );
    still && scene.known.jobs().activity() == activity
}

/// The state of a daemon whose queue is empty. A look does no harm, so it takes both ways at once.
async fn look(scene: &Scene<'_>, deadline: Instant) -> Option<i64> {
    let lanes = [scene.login.urgent(), scene.login.query()];
    let looks = lanes.map(|lane| Box::pin(scene.send(lane, deadline, verb::GETSTATUS, Vec::new())));
    let (answer, _) = select_ok(looks).await.ok()?;
    let (json, _) = scene.read(answer).await.ok()?;
    let status: Status = shape::read("status", &json).ok()?;
    status.requests.is_empty().then_some(status.status.0)
}

/// Asks by the urgent lane and, if it fails or is slow, by the other one as well.
async fn urge(
    scene: &Scene<'_>,
    verb: Verb,
    args: Vec<Arg>,
    deadline: Instant,
) -> Result<(), Fault> {
    let urgent = ask(scene, scene.login.urgent(), verb, args.clone(), deadline);
    let query = ask(scene, scene.login.query(), verb, args, deadline);
    tokio::pin!(urgent, query);
    let first = match timeout(HEAD_START, &mut urgent).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(first)) => first,
        Err(_) => tokio::select! {
            Ok(()) = &mut urgent => return Ok(()),
            Ok(()) = &mut query => return Ok(()),
            else => return Err(not_acknowledged()),
        },
    };
    query.await.map_err(|second| match first.kind {
        FaultKind::UnknownOutcome => first,
        _ => second,
    })
}

async fn ask(
    scene: &Scene<'_>,
    lane: &Lane,
    verb: Verb,
    args: Vec<Arg>,
    deadline: Instant,
) -> Result<(), Fault> {
    match scene.send(lane, deadline, verb, args).await? {
        Answer::Refused(text) => Err(refusal::fault(verb, &text)),
        _ => Ok(()),
    }
}

fn not_acknowledged() -> Fault {
    let message = "the emergency stop was sent by both connections and NICOS has acknowledged neither; \
                   whether it was carried out is unknown: stop the instrument by other means";
    Fault::new(FaultKind::UnknownOutcome, message)
}

fn not_seen() -> Fault {
    let message = "NICOS has acknowledged the emergency stop, but it could not be seen that the script has ended; \
                   look at the state, and stop the instrument by other means if it runs on";
    Fault::new(FaultKind::UnknownOutcome, message)
}

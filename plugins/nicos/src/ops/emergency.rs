//! The emergency stop. Asking for it twice does no harm, so it is asked for by every way and until it has worked.

use std::time::Duration;

use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use tokio::time::{Instant, sleep, timeout};

use super::Scene;
use crate::lane::{Answer, Lane};
use crate::refusal;
use crate::verb;

/// How long the urgent lane has before the other one is used, too.
const HEAD_START: Duration = Duration::from_secs(1);

/// A client that has no patience at all is still worth a try of this length.
const AT_LEAST: Duration = Duration::from_secs(1);

/// The first wait before the stop is asked for again, and the longest.
const AGAIN: Duration = Duration::from_millis(20);
const AGAIN_MOST: Duration = Duration::from_millis(200);

/// What is left for saying that the outcome is not known before the client stops listening.
const LAST_WORD: Duration = Duration::from_millis(200);

/// Stops what runs and drops what waits.
///
/// An acknowledgement is not enough: between two blocks of a script NICOS holds that nothing runs, and only puts the
/// stop behind everything else in the queue. So it is asked for until the jobs that were there have ended or the
/// script is being stopped.
pub(super) async fn emergency(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let deadline = command.deadline.max(Instant::now() + AT_LEAST);
    let give_up = deadline.min(Instant::now() + scene.settings.reply_deadline) - LAST_WORD;
    let jobs = scene.known.jobs().live();
    urge(scene, deadline).await?;
    let mut wait = AGAIN;
    while !scene.known.jobs().are_stopping(&jobs) {
        if Instant::now() + wait >= give_up {
            return Err(not_seen());
        }
        sleep(wait).await;
        wait = (wait * 5 / 4).min(AGAIN_MOST);
        if !scene.known.jobs().are_stopping(&jobs) {
            // It has been acknowledged once; another try that fails is no reason to give up.
            let _ = timeout(give_up - Instant::now(), urge(scene, deadline)).await;
        }
    }
    Ok(Reply::null())
}

/// Asks by the urgent lane and, if it fails or is slow, by the other one as well.
async fn urge(scene: &Scene<'_>, deadline: Instant) -> Result<(), Fault> {
    let urgent = ask(scene, scene.login.urgent(), deadline);
    let query = ask(scene, scene.login.query(), deadline);
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

async fn ask(scene: &Scene<'_>, lane: &Lane, deadline: Instant) -> Result<(), Fault> {
    match scene
        .send(lane, deadline, verb::EMERGENCY, Vec::new())
        .await?
    {
        Answer::Refused(text) => Err(refusal::fault(verb::EMERGENCY, &text)),
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

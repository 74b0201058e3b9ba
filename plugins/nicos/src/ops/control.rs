//! Pause, resume and stop. They have a lane of their own, where nothing slow goes before them.

use std::time::Duration;

use patchbay_sdk::model::args::{At, Point};
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use tokio::time::{Instant, sleep};

use super::Scene;
use crate::lane::Answer;
use crate::pickle::Arg;
use crate::refusal;
use crate::verb::{self, Verb, Way};

/// Between two blocks of a script, and before the first of a long one, NICOS holds that nothing runs, and refuses.
const BETWEEN_BLOCKS: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// As NICOS numbers the places.
fn level(point: Point) -> Arg {
    Arg::Int(match point {
        Point::Line => 1,
        Point::Step => 2,
        // Also within a count.
        Point::Now => 3,
        // With an exception.
        Point::Immediate => 5,
    })
}

pub(super) async fn pause(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let point = command.args::<At>()?.to_pause()?;
    send(scene, command, verb::BREAK, vec![level(point)]).await
}

pub(super) async fn resume(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    send(scene, command, verb::CONTINUE, Vec::new()).await
}

/// NICOS also empties the queue, whosever jobs they are.
pub(super) async fn stop(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let point = command.args::<At>()?.to_stop();
    send(scene, command, verb::STOP, vec![level(point)]).await
}

/// The hardest stop that is no emergency: the script gets an exception wherever it is.
pub(super) async fn abort(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let args = vec![level(Point::Immediate)];
    send(scene, command, verb::STOP, args).await
}

/// The current count ends early, and the script goes on.
pub(super) async fn finish(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    send(scene, command, verb::FINISH, Vec::new()).await
}

/// Sends what NICOS only accepts while a script runs.
pub(super) async fn send(
    scene: &Scene<'_>,
    command: &Command,
    verb: Verb,
    args: Vec<Arg>,
) -> Result<Reply, Fault> {
    let patience = Instant::now() + BETWEEN_BLOCKS;
    loop {
        let answer = match verb.way {
            Way::Urgent => either_lane(scene, command.deadline, verb, &args).await?,
            way => {
                scene
                    .send(scene.lane(way), command.deadline, verb, args.clone())
                    .await?
            }
        };
        match answer {
            Answer::Refused(text)
                if text == "no script is running"
                    && Instant::now() < patience
                    && scene.known.jobs().running().is_some() =>
            {
                sleep(PAUSE).await;
            }
            Answer::Refused(text) => return Err(refusal::fault(verb, &text)),
            _ => return Ok(Reply::null()),
        }
    }
}

/// By the urgent lane, or by the other one if this one is down and has sent nothing.
async fn either_lane(
    scene: &Scene<'_>,
    deadline: Instant,
    verb: Verb,
    args: &[Arg],
) -> Result<Answer, Fault> {
    let (urgent, query) = (scene.login.urgent(), scene.login.query());
    match scene.send(urgent, deadline, verb, args.to_vec()).await {
        Err(fault) if fault.kind == FaultKind::Unavailable => {
            scene.send(query, deadline, verb, args.to_vec()).await
        }
        answer => answer,
    }
}

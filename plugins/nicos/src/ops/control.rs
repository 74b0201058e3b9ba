//! Pause, resume and stop. They have a lane of their own, where nothing slow goes before them.

use std::time::Duration;

use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::Scene;
use crate::lane::Answer;
use crate::pickle::Arg;
use crate::refusal;
use crate::verb::{self, Verb, Way};

/// Between two blocks of a script, and before the first of a long one, NICOS holds that nothing runs, and refuses.
const BETWEEN_BLOCKS: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Deserialize)]
struct At {
    #[serde(default)]
    at: Option<Point>,
}

/// Where a script is held or stopped.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Point {
    /// After the current line.
    Line,
    /// After the current step of a scan.
    Step,
    /// Wherever it is, also within a count.
    Now,
    /// At once, with an exception.
    Immediate,
}

impl Point {
    fn level(self) -> i64 {
        match self {
            Self::Line => 1,
            Self::Step => 2,
            Self::Now => 3,
            Self::Immediate => 5,
        }
    }
}

pub(super) async fn pause(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let At { at } = command.args()?;
    match at.unwrap_or(Point::Line) {
        Point::Immediate => Err(Fault::new(
            FaultKind::Invalid,
            "`pause`: `at` must be `line`, `step` or `now`",
        )),
        point => send(scene, command, verb::BREAK, vec![Arg::Int(point.level())]).await,
    }
}

pub(super) async fn resume(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    send(scene, command, verb::CONTINUE, Vec::new()).await
}

/// NICOS also empties the queue, whosever jobs they are.
pub(super) async fn stop(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let At { at } = command.args()?;
    let level = at.unwrap_or(Point::Now).level();
    send(scene, command, verb::STOP, vec![Arg::Int(level)]).await
}

/// The hardest stop that is no emergency: the script gets an exception wherever it is.
pub(super) async fn abort(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let level = Point::Immediate.level();
    send(scene, command, verb::STOP, vec![Arg::Int(level)]).await
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

//! What a device's parameter was over time, from NICOS's value cache.

use patchbay_sdk::model::args::History;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};

use super::Scene;
use crate::lane::Answer;
use crate::pickle::Arg;
use crate::refusal;
use crate::verb;

pub(super) async fn history(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let history: History = command.args()?;
    let mut args = vec![
        Arg::Text(history.key.to_lowercase()),
        Arg::Float(history.from),
        Arg::Float(history.to),
    ];
    if let Some(interval) = history.interval {
        if !scene.protocol().history_has_interval() {
            let message = "this NICOS cannot thin values out; leave out `interval`";
            return Err(Fault::new(FaultKind::Unsupported, message));
        }
        args.push(Arg::Float(interval));
    }
    let lane = scene.lane(verb::GETHISTORY.way);
    let answer = scene
        .send(lane, command.deadline, verb::GETHISTORY, args)
        .await?;
    match answer {
        Answer::Refused(text) if text == refusal::FAILED => {
            let message =
                "NICOS could not look the history up; most likely it runs without a value cache";
            Err(Fault::new(FaultKind::Unsupported, message))
        }
        Answer::Refused(text) => Err(refusal::fault(verb::GETHISTORY, &text)),
        answer => scene.read(answer).await.map(|(json, _)| Reply::raw(json)),
    }
}

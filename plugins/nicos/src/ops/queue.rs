//! Jobs: to submit, remove and look up.

use patchbay_sdk::model::args::{Edit, Remove, Reorder, Submit, Which};
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::json;

use super::{Scene, control};
use crate::pickle::Arg;
use crate::shape::{self, Request};
use crate::verb;

pub(super) async fn submit(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let submit: Submit = command.args()?;
    if let Some(kind) = submit.kind.filter(|kind| kind != "script") {
        return Err(Fault::new(
            FaultKind::Unsupported,
            format!("NICOS runs jobs of kind `script`, not `{kind}`"),
        ));
    }
    // Between two blocks, and just before the first, NICOS itself would not notice.
    if submit.start && scene.known.jobs().running().is_some() {
        let message = "a script is running; queue this one instead, or wait";
        return Err(Fault::new(FaultKind::Conflict, message));
    }
    let name = submit.name.unwrap_or_default();
    let most = scene.settings.name_bytes;
    if name.len() > most {
        let message =
            format!("`submit`: `name` must not be longer than {most} bytes (`name_bytes`)");
        return Err(Fault::new(FaultKind::Invalid, message));
    }
    let args = vec![Arg::Text(name.clone()), Arg::Text(submit.code)];
    let verb = if submit.start {
        verb::START
    } else {
        verb::QUEUE
    };
    let answer = scene.ask(command, verb, args).await?;
    let (json, _) = scene.read(answer).await?;
    let reqid: String = shape::read("request id", &json)?;
    if !shape::is_id(&reqid) {
        let message = "NICOS's request id is empty or absurdly long; whether the job is queued, `status` shows";
        return Err(Fault::new(FaultKind::Protocol, message));
    }
    // The events may have told of it already.
    let user = Some(scene.login.user().to_owned());
    let request = Request {
        reqid: reqid.clone(),
        name: Some(name),
        user,
        ..Request::default()
    };
    let mut jobs = scene.known.jobs();
    jobs.submitted(&request);
    jobs.belongs_to(&reqid, scene.login.user(), command.session);
    drop(jobs);
    Reply::new(&json!({ "job": reqid }))
}

pub(super) async fn remove(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let remove: Remove = command.args()?;
    let which = remove.which()?.unwrap_or_else(|| "*".to_owned());
    let args = vec![Arg::from(&which[..])];
    let removed = scene.ask(command, verb::UNQUEUE, args).await;
    match removed {
        // NICOS says the same of a job that has begun and of one that never was.
        Err(fault)
            if fault.kind == FaultKind::Conflict && scene.known.jobs().get(&which).is_none() =>
        {
            Err(Fault::new(
                FaultKind::NotFound,
                format!("there is no job `{which}` in the queue"),
            ))
        }
        Err(fault) => Err(fault),
        Ok(_) => Ok(Reply::null()),
    }
}

/// NICOS wants all jobs that wait, in their new order.
pub(super) async fn reorder(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Reorder { jobs } = command.args()?;
    scene
        .ask(
            command,
            verb::REARRANGE,
            vec![Arg::List(jobs.into_iter().map(Arg::Text).collect())],
        )
        .await?;
    Ok(Reply::null())
}

/// Changes a job that waits, or what is still to come of the running one.
pub(super) async fn edit(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let edit: Edit = command.args()?;
    let mut args = vec![
        Arg::Text(edit.code),
        Arg::Text(edit.reason.unwrap_or_default()),
    ];
    args.extend(edit.job.map(Arg::Text));
    // NICOS changes nothing, not even what waits, while it holds that nothing runs.
    control::send(scene, command, verb::UPDATE, args).await
}

pub(super) fn job(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Which { job } = command.args()?;
    let jobs = scene.known.jobs();
    match jobs.get(&job) {
        Some(record) => Reply::new(record),
        None => Err(Fault::new(
            FaultKind::NotFound,
            format!("no job `{job}` is remembered; old ones are forgotten"),
        )),
    }
}

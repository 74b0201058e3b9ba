//! Jobs: to submit, remove, move, change and look up.

use patchbay_sdk::model::args::{Edit, Remove, Reorder, Submit, Which};
use patchbay_sdk::model::{JobRecord, JobState};
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Scene;
use super::code::too_long;
use crate::clock::now;
use crate::foreman::Order;
use crate::job::Job;

/// What was asked for, as a digest, to be found again whatever is edited meanwhile.
pub(super) fn asked(submit: &Submit) -> String {
    let text = json!([submit.name, submit.code, submit.start]).to_string();
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id that nobody else has, and that stays the job's for ever.
pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

pub(super) async fn submit(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let submit: Submit = command.args()?;
    if let Some(kind) = submit.kind.as_deref().filter(|kind| *kind != "script") {
        let kind: String = kind.chars().take(64).collect();
        let text = format!("this backend runs jobs of kind `script`, not `{kind}`");
        return Err(Fault::new(FaultKind::Unsupported, text));
    }
    too_long(scene, submit.code.len())?;
    let (asked, start) = (asked(&submit), submit.start);
    let name = submit.name.filter(|name| !name.is_empty());
    check_name(scene, name.as_deref().unwrap_or_default())?;
    let record = JobRecord {
        id: new_id(),
        name,
        user: Some(scene.user.to_owned()),
        state: JobState::Queued,
        submitted: Some(now()),
        ..JobRecord::default()
    };
    let id = record.id.clone();
    let code = submit.code.into();
    let job = Job { record, code };
    scene
        .desk
        .order(Order::Submit { job, asked, start })
        .await?;
    Reply::new(&json!({ "job": id }))
}

fn check_name(scene: &Scene<'_>, name: &str) -> Result<(), Fault> {
    let most = scene.settings.name_bytes;
    if name.len() > most {
        let text = format!("`submit`: `name` must not be longer than {most} bytes (`name_bytes`)");
        return Err(Fault::new(FaultKind::Invalid, text));
    }
    if name.chars().any(char::is_control) {
        let text = "`submit`: `name` must be one line of text";
        return Err(Fault::new(FaultKind::Invalid, text));
    }
    Ok(())
}

pub(super) async fn remove(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let which = command.args::<Remove>()?.which()?;
    scene.desk.order(Order::Remove(which)).await?;
    Ok(Reply::null())
}

pub(super) async fn reorder(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Reorder { jobs } = command.args()?;
    scene.desk.order(Order::Reorder(jobs)).await?;
    Ok(Reply::null())
}

pub(super) async fn edit(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Edit { job, code, .. } = command.args()?;
    too_long(scene, code.len())?;
    let Some(job) = job else {
        let text = "a script runs as it was when it began; only one that waits can be changed, by its `job`";
        return Err(Fault::new(FaultKind::Unsupported, text));
    };
    scene.desk.order(Order::Edit(job, code.into())).await?;
    Ok(Reply::null())
}

pub(super) async fn job(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Which { job } = command.args()?;
    if let Some(record) = scene.board.job(&job) {
        return Reply::new(&record);
    }
    match scene.store.job(job.clone()).await? {
        Some(job) => Reply::new(&job.record),
        None => {
            let id: String = job.chars().take(64).collect();
            let text =
                format!("no job `{id}` is remembered; old ones are forgotten (`history_most`)");
            Err(Fault::new(FaultKind::NotFound, text))
        }
    }
}

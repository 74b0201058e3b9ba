//! Jobs: to submit, remove, order and change.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::model::args::{Edit, Remove, Reorder, Submit};
use patchbay_sdk::model::{JobKind, JobState, LinkState};
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::{Scene, conflict};
use crate::environment;
use crate::jobs::Job;
use crate::queue;
use crate::server::{Server, now};
use crate::shape::{Item, Mark, SCRIPT_PLAN, new_item};
use crate::shim;
use crate::wire::Urgency;

/// So long before a request's deadline it is answered that it was too early.
const MARGIN: Duration = Duration::from_millis(500);

/// A plan as it is submitted: JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    #[serde(default)]
    args: Vec<Value>,
    #[serde(default)]
    kwargs: Map<String, Value>,
}

#[derive(Deserialize)]
struct Added {
    item: Item,
}

pub(super) async fn submit(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let submit: Submit = command.args()?;
    let server = scene.server;
    check(scene, &submit)?;
    if submit.start && is_busy(server) {
        return Err(conflict(
            "a job runs or waits; queue this one instead, or wait",
        ));
    }
    // Whoever was asked first queues first, also when many wait for the environment.
    let ready = async {
        let turn = server.submits.lock().await;
        environment::ready(server).await.map(|()| turn)
    };
    let early = command
        .deadline
        .checked_sub(MARGIN)
        .unwrap_or_else(Instant::now);
    let _turn = timeout_at(early, ready).await.unwrap_or_else(|_| {
        let message =
            "the environment is still being opened; nothing was queued, try again in a while";
        Err(Fault::new(FaultKind::Unavailable, message))
    })?;
    let job = uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid();
    let mark = Mark {
        job: job.to_string(),
        name: submit.name.filter(|name| !name.is_empty()),
        at: now(),
        alone: None,
        code: None,
    };
    let item = item(server, &submit.code, is_plan(submit.kind.as_deref())?, mark)?;
    let params = json!({
        "item": item, "pos": "back", "user": scene.user, "user_group": server.config.user_group,
    });
    let added = server
        .control
        .ask("queue_item_add", params, Urgency::Ordinary)
        .await;
    let added: Added = added.inspect_err(|_| server.doubt())?;
    let notices = {
        let mut jobs = server.jobs();
        jobs.set_going(true);
        jobs.submitted(&added.item)
    };
    server.tell(notices);
    server.hurry.notify_one();
    Reply::new(&json!({"job": job.to_string()}))
}

fn check(scene: &Scene<'_>, submit: &Submit) -> Result<(), Fault> {
    let config = &scene.server.config;
    let name = submit.name.as_deref().unwrap_or_default();
    if name.len() > config.name_bytes {
        let most = config.name_bytes;
        let message =
            format!("`submit`: `name` must not be longer than {most} bytes (`name_bytes`)");
        return Err(Fault::new(FaultKind::Invalid, message));
    }
    check_code(config.script_bytes, &submit.code)
}

fn check_code(most: usize, code: &str) -> Result<(), Fault> {
    match code.len() > most {
        true => Err(Fault::new(
            FaultKind::TooLarge,
            format!(
                "the script is {} bytes long, and at most {most} are taken (`script_bytes`)",
                code.len()
            ),
        )),
        false => Ok(()),
    }
}

fn is_busy(server: &Server) -> bool {
    let jobs = server.jobs();
    let idle = jobs.link() == LinkState::Up && jobs.status().is_idle();
    !idle || jobs.running().is_some() || jobs.waiting().next().is_some()
}

fn is_plan(kind: Option<&str>) -> Result<bool, Fault> {
    match kind {
        None | Some("script") => Ok(false),
        Some("plan") => Ok(true),
        Some(other) => Err(Fault::new(
            FaultKind::Unsupported,
            format!("the RE Manager's queue takes jobs of kind `script` and `plan`, not `{other}`"),
        )),
    }
}

/// What is queued: a plan as it is; a script as a plan that runs it; one that calls the Run Engine itself as an order to
/// the queue to stop there, which keeps its place.
fn item(server: &Server, code: &str, is_plan: bool, mut mark: Mark) -> Result<Value, Fault> {
    if is_plan {
        let plan: Plan = serde_json::from_str(code).map_err(|error| {
            let message = format!(
                "a plan's `code` is JSON, as in {{\"name\": \"count\", \"args\": [[\"det\"]], \"kwargs\": {{\"num\": 3}}}}: {error}"
            );
            Fault::new(FaultKind::Invalid, message)
        })?;
        mark.code = Some(code.to_owned());
        return Ok(new_item(
            "plan",
            &plan.name,
            &plan.args,
            plan.kwargs.into(),
            &mark,
        ));
    }
    if shim::calls_run_engine(code) {
        mark.alone = Some(code.to_owned());
        return Ok(new_item(
            "instruction",
            "queue_stop",
            &[],
            Value::Null,
            &mark,
        ));
    }
    let once = server.config.requeued == crate::config::Requeued::Remove;
    let name = mark.name.clone().unwrap_or_else(|| "script".to_owned());
    let kwargs = json!({"code": code, "job": mark.job, "name": name, "once": once});
    Ok(new_item("plan", SCRIPT_PLAN, &[], kwargs, &mark))
}

/// One that waits, or all of the gateway's that wait.
pub(super) async fn remove(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let which = command.args::<Remove>()?.which()?;
    let server = scene.server;
    match which {
        Some(job) => queue::remove(server, &waiting(server, &job)?.uid).await?,
        None => queue::remove_own(server, Urgency::Ordinary).await?,
    }
    server.looked(Duration::from_secs(2)).await;
    Ok(Reply::null())
}

/// Wants all jobs that wait, in their new order.
pub(super) async fn reorder(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let Reorder { jobs: order } = command.args()?;
    let server = scene.server;
    let uids: Vec<String> = {
        let jobs = server.jobs();
        let mut wanted: Vec<&str> = order.iter().map(String::as_str).collect();
        let mut there: Vec<&str> = jobs.waiting().map(|job| &*job.record.id).collect();
        wanted.sort_unstable();
        there.sort_unstable();
        if wanted != there {
            return Err(conflict(
                "give the ids of all jobs that wait, each once; the queue may have changed meanwhile",
            ));
        }
        order
            .iter()
            .filter_map(|id| jobs.get(id))
            .map(|job| job.uid.clone())
            .collect()
    };
    if !uids.is_empty() {
        let params = json!({"uids": uids, "pos_dest": "front", "reorder": false});
        queue::change(server, "queue_item_move_batch", params).await?;
        server.looked(Duration::from_secs(2)).await;
    }
    Ok(Reply::null())
}

/// Changes a job that waits.
pub(super) async fn edit(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let edit: Edit = command.args()?;
    let server = scene.server;
    check_code(server.config.script_bytes, &edit.code)?;
    let Some(id) = edit.job else {
        let message = "the RE Manager cannot change what runs; give the `job` that waits";
        return Err(Fault::new(FaultKind::Unsupported, message));
    };
    let job = waiting(server, &id)?;
    if job.record.external {
        return Err(conflict(
            "another client of the RE Manager has queued that job; change it there",
        ));
    }
    let mark = Mark {
        job: id.clone(),
        name: job.record.name.clone(),
        at: now(),
        alone: None,
        code: None,
    };
    let is_plan = job.record.kind == Some(JobKind::Plan);
    let mut item = item(server, &edit.code, is_plan, mark)?;
    item["item_uid"] = job.uid.clone().into();
    let user = job.record.user.as_deref().unwrap_or(scene.user);
    let params = json!({"item": item, "user": user, "user_group": server.config.user_group});
    queue::change(server, "queue_item_update", params).await?;
    let alone = item["item_type"] == "instruction";
    let notices = server.jobs().edited(&id, &edit.code, alone);
    server.tell(notices);
    Ok(Reply::null())
}

/// A job that waits.
fn waiting(server: &Arc<Server>, id: &str) -> Result<Job, Fault> {
    let jobs = server.jobs();
    match jobs.get(id) {
        Some(job) if job.record.state == JobState::Queued => Ok(job.clone()),
        Some(_) => Err(conflict(
            "the job is not in the queue: it has begun, or has ended",
        )),
        None => Err(Fault::new(
            FaultKind::NotFound,
            format!("there is no job `{id}` in the queue"),
        )),
    }
}

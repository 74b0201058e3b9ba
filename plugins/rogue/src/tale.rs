//! What it tells of jobs that never were.

use patchbay_sdk::{BackendContext, Command, Event, EventKind, Fault, RawJson, Reply};
use serde::Deserialize;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A script of which each word is told, one after the other: `tale: queued started succeeded`. An outcome is told as the end.
/// `same` gives the job the id that all such jobs have; every other job with `halting` is told late.
const OPENING: &str = "tale:";

/// How long it halts.
const HALT: Duration = Duration::from_millis(300);

/// What the ids of jobs begin with.
const NAME: &str = "rogue-";

static JOBS: AtomicU64 = AtomicU64::new(0);

#[derive(Deserialize)]
struct Submit {
    code: String,
}

#[derive(Deserialize)]
struct Job {
    job: String,
}

/// Whether these are the arguments of a `submit` of a tale, or of one that makes no sense.
pub(crate) fn is_one(args: &RawJson) -> bool {
    let submit = args.parse::<Submit>();
    submit.map_or(true, |submit| submit.code.starts_with(OPENING))
}

/// Whether these are the arguments of a `job` that was told of.
pub(crate) fn is_known(args: &RawJson) -> bool {
    let job = args.parse::<Job>();
    job.is_ok_and(|job| job.job.starts_with(NAME))
}

/// What it says of a job when asked.
pub(crate) fn job(command: &Command) -> Result<Reply, Fault> {
    let Job { job } = command.args()?;
    Reply::new(&json!({ "id": job }))
}

/// Tells it.
pub(crate) async fn tell(command: &Command, cx: &BackendContext) -> Result<Reply, Fault> {
    let Submit { code } = command.args()?;
    let number = JOBS.fetch_add(1, Ordering::Relaxed);
    let has = |word: &str| code.split_whitespace().any(|other| other == word);
    let job = match has("same") {
        true => format!("{NAME}same"),
        false => format!("{NAME}{number}"),
    };
    if has("halting") && number.is_multiple_of(2) {
        tokio::time::sleep(HALT).await;
    }
    for word in code.split_whitespace() {
        let body = match word {
            "queued" | "started" => json!({ "state": word }),
            "succeeded" | "failed" => json!({"state": "finished", "outcome": word}),
            _ => continue,
        };
        cx.emit(Event::new(EventKind::Job, &body)?.job(job.as_str()));
    }
    Reply::new(&json!({"job": job}))
}

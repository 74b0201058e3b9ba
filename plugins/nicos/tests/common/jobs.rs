//! Jobs as daemons tell of them.

use patchbay_nicos::jobs::{Jobs, Notice, Snapshot};
use patchbay_nicos::shape::Request;
use patchbay_sdk::model::JobState;

pub fn request(id: &str) -> Request {
    Request {
        reqid: id.into(),
        name: Some(format!("name of {id}")),
        script: Some("pass\n".into()),
        user: Some("u".into()),
        success: None,
    }
}

pub fn ended(id: &str, success: bool) -> Request {
    Request {
        success: Some(success),
        ..request(id)
    }
}

pub fn snapshot(
    status: (i64, i64),
    queue: &[&str],
    running: Option<&str>,
    restarted: bool,
) -> Snapshot {
    Snapshot {
        status,
        queue: queue.iter().map(|id| request(id)).collect(),
        running: running.map(request),
        restarted,
    }
}

/// What was told of jobs, as `id state` and for an end `id outcome`.
pub fn told(notices: Vec<Notice>) -> Vec<String> {
    let line = |notice| match notice {
        Notice::Job(id, body) => Some(match body.outcome {
            Some(outcome) => format!("{id} {outcome:?}"),
            None => format!("{id} {}", body.state),
        }),
        Notice::State(..) => None,
    };
    notices.into_iter().filter_map(line).collect()
}

pub fn state(jobs: &Jobs, id: &str) -> JobState {
    jobs.get(id).unwrap().state
}

/// A table with one job running and one waiting.
pub fn busy() -> Jobs {
    let mut jobs = Jobs::new(10);
    jobs.resync(&snapshot((-1, -1), &[], None, false), 0.0);
    jobs.queued(&request("a"));
    jobs.started(&request("a"), 1.0);
    jobs.queued(&request("b"));
    jobs.status((0, 1));
    jobs
}

//! The example of the page: a script server in Python.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_sdk::FaultKind;
use patchbay_sdk::model::{JobState, Run, Status};
use patchbay_testkit::{BackendHost, TestSession};
use serde_json::{Value, json};
use support::{file, start};

async fn scripts() -> BackendHost {
    let command = json!(["python3", file("examples/scripts.py")]);
    let config = json!({"program": {"command": command}, "anyone": "user"});
    start(config).await.unwrap()
}

async fn submit(session: &TestSession<'_>, name: &str, code: &str) -> String {
    let args = json!({"name": name, "code": code});
    let job = session.call("submit", args).await.unwrap();
    job["job"].as_str().unwrap().to_owned()
}

/// The status, as the model has it.
async fn status(session: &TestSession<'_>) -> Status {
    let status = session.call("status", json!({})).await.unwrap();
    serde_json::from_value(status).unwrap()
}

/// Waits until the job has come so far: what else is said of it.
async fn job_is(host: &BackendHost, job: &str, state: &str) -> Value {
    loop {
        let (of, body) = host.next_event("job").await;
        if of.as_deref() == Some(job) && body["state"] == state {
            return body;
        }
    }
}

#[test]
fn it_has_sixty_lines_at_the_most() {
    let text = std::fs::read_to_string(file("examples/scripts.py")).unwrap();
    assert!(text.lines().count() <= 60);
}

#[tokio::test]
async fn scripts_run_one_after_the_other_and_what_they_print_is_told() {
    let host = scripts().await;
    let session = host.login("anna", "").await.unwrap();
    let first = submit(
        &session,
        "first",
        "import time; print('é'); time.sleep(600)",
    )
    .await;
    let second = submit(&session, "second", "print('two')").await;
    let (of, line) = host.next_event("log").await;
    assert_eq!(of.as_deref(), Some(first.as_str()));
    assert_eq!(line["text"], "é");
    let now = status(&session).await;
    assert_eq!(now.run, Run::Running);
    assert_eq!(now.job.unwrap().id, Some(first.clone()));
    let waiting: Vec<_> = now.queue.into_iter().map(|job| job.id).collect();
    assert_eq!(waiting, std::slice::from_ref(&second));
    session.call("stop", json!({})).await.unwrap();
    assert_eq!(job_is(&host, &first, "finished").await["outcome"], "failed");
    let end = job_is(&host, &second, "finished").await;
    assert_eq!(end["outcome"], "succeeded");
    assert_eq!(end["user"], "anna");
    let now = status(&session).await;
    let last = now.last.unwrap();
    assert_eq!(now.run, Run::Idle);
    assert_eq!(last.id, second);
    assert_eq!(last.state, JobState::Succeeded);
    assert!(
        last.submitted <= last.started && last.started < last.ended,
        "{last:?}"
    );
    let job = session.call("job", json!({ "job": second })).await.unwrap();
    assert_eq!(job["name"], "second");
    let unknown = session.call("job", json!({"job": "x"})).await.unwrap_err();
    assert_eq!(unknown.kind, FaultKind::NotFound);
    let log = session.call("log", json!({"last": 1})).await.unwrap();
    assert_eq!(log["messages"][0]["text"], "two");
    host.stop().await;
}

#[tokio::test]
async fn a_script_is_stopped_and_nothing_that_is_asked_ends_the_server() {
    let host = scripts().await;
    let session = host.login("anna", "").await.unwrap();
    let refused = session.call("stop", json!({})).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Conflict);
    let job = submit(&session, "long", "import time; time.sleep(600)").await;
    job_is(&host, &job, "started").await;
    session.call("stop", json!({})).await.unwrap();
    assert_eq!(job_is(&host, &job, "finished").await["outcome"], "failed");
    for (op, args, kind) in [
        ("submit", json!({}), FaultKind::Invalid),
        ("submit", json!([]), FaultKind::Invalid),
        ("log", json!({"last": "x"}), FaultKind::Invalid),
        ("pause", json!({}), FaultKind::Unsupported),
    ] {
        let fault = session.call(op, args.clone()).await.unwrap_err();
        assert_eq!(fault.kind, kind, "`{op}` {args}: {fault}");
    }
    let can = session.call("capabilities", json!({})).await.unwrap();
    assert_eq!(can["ops"]["submit"], "native");
    host.stop().await;
}

#[tokio::test]
async fn a_script_that_runs_ends_with_the_server() {
    let host = scripts().await;
    let session = host.login("anna", "").await.unwrap();
    submit(
        &session,
        "long",
        "import os, time; print(os.getpid()); time.sleep(600)",
    )
    .await;
    let (_, line) = host.next_event("log").await;
    let pid: Value = line["text"].as_str().unwrap().parse().unwrap();
    drop(session);
    host.stop().await;
    support::ends(&pid);
}

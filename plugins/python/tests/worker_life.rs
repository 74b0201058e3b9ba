//! Workers that cannot begin, are not let begin, are closed and opened.

mod common;

use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use common::{PATIENCE, Shop};
use patchbay_sdk::FaultKind;
use serde_json::json;

/// A killed gateway may leave a worker behind that cannot end, because of what it runs.
#[tokio::test]
async fn no_script_begins_while_a_worker_of_before_still_lives() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("python/worker.lock");
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let mut other = std::process::Command::new("flock")
        .arg(&lock)
        .args(["-c", "echo $$ >&2; sleep 600"])
        .process_group(0)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0];
    std::io::Read::read_exact(other.stderr.as_mut().unwrap(), &mut said).unwrap();
    let host = common::start(&folder, json!({"start_seconds": 1}))
        .await
        .unwrap();
    let shop = Shop { host, folder };
    let client = shop.login_as("anna").await;
    let job = client.submit("print('at last')").await;
    loop {
        let message = shop.host.next_of(&[patchbay_abi::Kind::HEALTH]).await;
        let health: patchbay_abi::head::Health = message.read_head().unwrap();
        if health.reason.contains("has not ended yet") {
            break;
        }
    }
    // Longer than a worker may take to start: this one is waited for.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        client.ok("job", json!({ "job": job })).await["state"],
        "queued"
    );
    let killed = std::process::Command::new("kill")
        .args(["-9", "--", &format!("-{}", other.id())])
        .status()
        .unwrap();
    assert!(killed.success());
    other.wait().unwrap();
    assert_eq!(client.end(&job).await["state"], "succeeded");
    shop.host.stop().await;
}

#[tokio::test]
async fn a_python_that_is_not_there_is_said_and_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let python = folder.path().join("bin-python");
    let shop = Shop::with(json!({"interpreter": python, "retry_most_seconds": 0.2})).await;
    let client = shop.login_as("anna").await;
    client
        .until("a link that is down", |status| status["link"] == "down")
        .await;
    let message = shop.host.next_of(&[patchbay_abi::Kind::HEALTH]).await;
    let health: patchbay_abi::head::Health = message.read_head().unwrap();
    assert_eq!(health.state, "down");
    assert!(health.reason.contains("`interpreter`"), "{}", health.reason);
    assert_eq!(
        client.fault("eval", json!({"code": "1"})).await.kind,
        FaultKind::Unavailable
    );
    // What is submitted meanwhile waits.
    let job = client.submit("print('at last')").await;
    std::os::unix::fs::symlink("/usr/bin/python3", python).unwrap();
    assert_eq!(client.end(&job).await["state"], "succeeded");
    shop.host.stop().await;
}

#[tokio::test]
async fn a_worker_that_cannot_begin_is_tried_later_and_later() {
    let shop = Shop::with(json!({"interpreter": "/bin/false", "retry_first_seconds": 0.05})).await;
    let client = shop.login_as("anna").await;
    let begun = Instant::now();
    while client.texts("warning").await.len() < 4 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // 0.05 + 0.1 + 0.2 seconds between the four.
    assert!(begun.elapsed() > Duration::from_millis(350));
    shop.host.stop().await;
}

#[tokio::test]
async fn the_environment_is_closed_opened_and_reset() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    client.ok("exec", json!({"code": "kept = 1"})).await;
    client.ok("environment", json!({"do": "reset"})).await;
    client
        .until("a worker", |status| status["link"] == "up")
        .await;
    assert!(
        client
            .fault("eval", json!({"code": "kept"}))
            .await
            .message
            .contains("NameError")
    );
    client.ok("environment", json!({"do": "close"})).await;
    assert_eq!(client.status().await["link"], "down");
    let job = client.submit("print('later')").await;
    client.ok("environment", json!({"do": "open"})).await;
    assert_eq!(client.end(&job).await["state"], "succeeded");
    let job = client.submit("while True: pass").await;
    client
        .until("a script that runs", |status| status["run"] == "running")
        .await;
    assert_eq!(
        client
            .fault("environment", json!({"do": "close"}))
            .await
            .kind,
        FaultKind::Conflict
    );
    client.ok("environment", json!({"do": "reset"})).await;
    let record = client.end(&job).await;
    assert!(
        record["error"].as_str().unwrap().contains("it was reset"),
        "{record}"
    );
    let job = client.submit("print('on')").await;
    assert_eq!(client.end(&job).await["state"], "succeeded");
    shop.host.stop().await;
}

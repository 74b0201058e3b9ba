//! Queue and history are on disk, and nothing begins twice.

mod common;

use common::{Shop, start};
use patchbay_sdk::FaultKind;
use serde_json::json;

const LOOP: &str = "import time\nwhile True:\n    time.sleep(0.01)\n";

#[tokio::test]
async fn what_waits_waits_on_after_a_restart_until_somebody_says_resume() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    client.submit(LOOP).await;
    let first = client.submit("print('first')").await;
    let second = client.submit("print('second')").await;
    client.ok("reorder", json!({"jobs": [second, first]})).await;
    client
        .ok("edit", json!({"job": first, "code": "print('changed')"}))
        .await;

    let shop = shop.restart(json!({})).await;
    let client = shop.login().await;
    let status = client.status().await;
    assert_eq!(status["held"], "the gateway was restarted");
    assert_eq!(
        (&status["job"], &status["run"]),
        (&json!(null), &"idle-after-failure".into())
    );
    let queue = status["queue"].as_array().unwrap();
    let ids: Vec<_> = queue.iter().map(|job| job["id"].clone()).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()]);
    let waits = client.texts("warning").await;
    assert!(waits[0].contains("2 scripts wait"), "{waits:?}");
    client.ok("resume", json!({})).await;
    client.end(&first).await;
    assert_eq!(client.texts("info").await, ["second", "changed"]);
    assert_eq!(
        client.fault("resume", json!({})).await.kind,
        FaultKind::Conflict
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn what_waits_begins_by_itself_where_that_is_configured() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    client.submit(LOOP).await;
    let next = client.submit("print('next')").await;
    let shop = shop.restart(json!({"on_restart": "run"})).await;
    let client = shop.login().await;
    assert_eq!(client.end(&next).await["state"], "succeeded");
    shop.host.stop().await;
}

#[tokio::test]
async fn a_script_that_runs_when_the_gateway_ends_has_failed_and_tidies_up() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code =
        "import time\ntry:\n    time.sleep(600)\nfinally:\n    open('tidied', 'w').close()\n";
    let job = client.submit(code).await;
    client
        .until("its line", |status| status["job"]["line"] == 3)
        .await;
    let shop = shop.restart(json!({})).await;
    let client = shop.login().await;
    let record = client.ok("job", json!({ "job": job })).await;
    assert_eq!(
        (&record["state"], &record["error"]),
        (&"failed".into(), &"the gateway was shut down".into())
    );
    assert!(shop.folder.path().join("python/work/tidied").exists());
    shop.host.stop().await;
}

#[tokio::test]
async fn history_outlives_a_restart_and_is_bounded() {
    let shop = Shop::with(json!({"history_most": 10})).await;
    let client = shop.login().await;
    let mut jobs = Vec::new();
    for number in 0..12 {
        let job = client.submit(&format!("{number} / 0")).await;
        client.end(&job).await;
        jobs.push(job);
    }
    let shop = shop.restart(json!({"history_most": 10})).await;
    let client = shop.login().await;
    let status = client.status().await;
    assert_eq!(status["last"]["id"], jobs[11]);
    assert_eq!(status["last"]["body"], "11 / 0");
    let past = client
        .ok("native", json!({"method": "jobs", "params": [3]}))
        .await;
    let ids: Vec<_> = past["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["id"].clone())
        .collect();
    assert_eq!(ids, [jobs[11].as_str(), &jobs[10], &jobs[9]]);
    let error = client.ok("job", json!({"job": jobs[2]})).await["error"].clone();
    assert_eq!(error, "ZeroDivisionError: division by zero");
    assert_eq!(
        client.fault("job", json!({"job": jobs[1]})).await.kind,
        FaultKind::NotFound
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn a_submit_is_found_by_what_was_asked_and_by_whom() {
    let shop = Shop::start().await;
    let (anna, ben) = (shop.login().await, shop.login_as("ben").await);
    let args = json!({"name": "a", "code": "print(1)"});
    let first = anna.ok("submit", args.clone()).await["job"].clone();
    let second = anna.ok("submit", args.clone()).await["job"].clone();
    ben.ok("submit", args.clone()).await;
    anna.ok("submit", json!({"name": "b", "code": "print(1)"}))
        .await;
    let find = json!({"submit": args, "since": 0});
    assert_eq!(
        anna.ok("find", find.clone()).await["jobs"],
        json!([first, second])
    );
    let late = json!({"submit": args, "since": 9e9});
    assert_eq!(anna.ok("find", late).await["jobs"], json!([]));
    assert_eq!(
        ben.ok("find", find).await["jobs"].as_array().unwrap().len(),
        1
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn two_instances_cannot_share_a_folder() {
    let shop = Shop::start().await;
    let fault = start(&shop.folder, json!({})).await.err().unwrap();
    assert!(fault.message.contains("a `folder` of its own"), "{fault}");
    shop.host.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("python")).unwrap();
    std::fs::write(folder.path().join("python/jobs.sqlite"), "x".repeat(4096)).unwrap();
    let fault = start(&folder, json!({})).await.err().unwrap();
    assert!(fault.message.contains("jobs.sqlite"), "{fault}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("python"), "").unwrap();
    let fault = start(&folder, json!({})).await.err().unwrap();
    assert!(fault.message.contains("python"), "{fault}");
}

//! A network or a daemon that fails for a while, without anything being lost at the daemon.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;
#[path = "common/proxy.rs"]
mod proxy;

use bench::{daemon, event_where, plugin, until};
use proxy::proxy;
use serde_json::json;

/// A script that goes on until [`TELL`] is executed.
const UNTIL_TOLD: &str = "while not __import__('os').path.exists('go'):\n    sleep(0.05)\n";
const TELL: &str = "open('go', 'w').close()";

fn signal(pid: u32, name: &str) {
    let kill = std::process::Command::new("kill")
        .args([name, &pid.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

#[tokio::test]
async fn jobs_live_on_when_only_the_network_was_cut() {
    let nicos = daemon().await;
    let proxy = proxy(nicos.address()).await;
    let host = plugin(&nicos, json!({"address": proxy.address.to_string()})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let running = user
        .call("submit", json!({"name": "long", "code": UNTIL_TOLD}))
        .await
        .unwrap();
    let waiting = user
        .call("submit", json!({"code": "sleep(0.01)\n"}))
        .await
        .unwrap();
    event_where(&host, "job", |body| body["state"] == "started").await;

    for _ in 0..3 {
        proxy.cut();
        event_where(&host, "link", |body| body["link"] == "down").await;
        proxy.mend();
        event_where(&host, "link", |body| body["link"] == "up").await;
    }
    until(&user, "status", json!({}), |status| {
        status["job"]["id"] == running["job"]
    })
    .await;
    let record = user
        .call("job", json!({"job": waiting["job"]}))
        .await
        .unwrap();
    assert_eq!(record["state"], "queued");

    user.call("exec", json!({"code": TELL})).await.unwrap();
    for job in [&running, &waiting] {
        let args = json!({"job": job["job"]});
        until(&user, "job", args, |record| record["state"] == "succeeded").await;
    }
    host.stop().await;
}

#[tokio::test]
async fn a_job_that_ended_unseen_is_unknown_and_not_succeeded() {
    let nicos = daemon().await;
    let proxy = proxy(nicos.address()).await;
    let seeing = plugin(&nicos, json!({})).await;
    let blind = plugin(&nicos, json!({"address": proxy.address.to_string()})).await;
    let (sees, loses_sight) = (
        seeing.login("user", "user").await.unwrap(),
        blind.login("user", "user").await.unwrap(),
    );
    event_where(&blind, "link", |body| body["link"] == "up").await;
    let job = loses_sight
        .call("submit", json!({"code": UNTIL_TOLD}))
        .await
        .unwrap();
    event_where(&blind, "job", |body| body["state"] == "started").await;

    proxy.cut();
    event_where(&blind, "link", |body| body["link"] == "down").await;
    sees.call("exec", json!({"code": TELL})).await.unwrap();
    until(&sees, "job", json!({"job": job["job"]}), |record| {
        record["state"] == "succeeded"
    })
    .await;
    proxy.mend();
    let (id, ended) = event_where(&blind, "job", |body| body["state"] == "finished").await;
    assert_eq!(
        (json!(id), &ended["outcome"]),
        (job["job"].clone(), &json!("unknown"))
    );
    seeing.stop().await;
    blind.stop().await;
}

#[tokio::test]
async fn a_daemon_that_hangs_is_noticed_and_found_again() {
    let nicos = daemon().await;
    let hasty = json!({"probe_s": 0.3, "reply_deadline_s": 1.0, "connect_deadline_s": 1.0});
    let host = plugin(&nicos, hasty).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    signal(nicos.pid(), "-STOP");
    event_where(&host, "link", |body| body["link"] == "down").await;
    assert!(user.call("status", json!({})).await.is_err());
    signal(nicos.pid(), "-CONT");
    event_where(&host, "link", |body| body["link"] == "up").await;
    until(&user, "status", json!({}), |status| status["run"] == "idle").await;
    host.login("admin", "admin")
        .await
        .unwrap()
        .call("status", json!({}))
        .await
        .unwrap();
    host.stop().await;
}

#[tokio::test]
async fn an_event_connection_that_loses_everything_is_noticed_and_made_anew() {
    let nicos = daemon().await;
    let proxy = proxy(nicos.address()).await;
    let wary = json!({"address": proxy.address.to_string(), "look_s": 0.3, "silence_s": 0.5});
    let host = plugin(&nicos, wary).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    // Looks at a daemon where nothing happens are no reason to doubt.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    proxy.mute();
    let job = user.call("submit", json!({"code": UNTIL_TOLD})).await;
    let job = job.unwrap()["job"].clone();

    let (_, down) = event_where(&host, "link", |_| true).await;
    assert_eq!(down["link"], "down");
    let cause = down["cause"].as_str().unwrap();
    assert!(cause.contains("no event came"), "{cause}");
    let (started, _) = event_where(&host, "job", |body| body["state"] == "started").await;
    assert_eq!(json!(started), job);
    user.call("exec", json!({"code": TELL})).await.unwrap();
    let (ended, _) = event_where(&host, "job", |body| body["outcome"] == "succeeded").await;
    assert_eq!(json!(ended), job);
    host.stop().await;
}

//! Ad-hoc.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#[path = "common/bench.rs"]
mod bench;
use bench::{daemon, event_where, plugin, until};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn cycles() {
    let mut nicos = daemon().await;
    let observer = plugin(
        &nicos,
        json!({"observer": {"login": "guest", "secret": {"value": "x"}}}),
    )
    .await;
    event_where(&observer, "link", |body| body["link"] == "up").await;
    let admin = observer.login("admin", "admin").await.unwrap();
    admin
        .call(
            "submit",
            json!({"code": "while True:\n    printinfo('x')\n    sleep(0.001)\n"}),
        )
        .await
        .unwrap();
    let t = Instant::now();
    for round in 0..40 {
        let host = plugin(&nicos, json!({"idle_s": 0.01})).await;
        let user = host.login("user", "user").await.unwrap();
        user.call("status", json!({})).await.unwrap();
        user.logout();
        let _ = host.login("user", "wrong").await.err().unwrap();
        if round % 2 == 0 {
            host.stop().await
        } else {
            drop(host)
        }
    }
    println!("40 cycles in {:?}", t.elapsed());
    let fresh = plugin(&nicos, json!({})).await;
    fresh
        .login("user", "user")
        .await
        .unwrap()
        .call("status", json!({}))
        .await
        .unwrap();
    assert!(nicos.is_alive());
}

#[tokio::test]
async fn speed() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let admin = host.login("admin", "admin").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let t = Instant::now();
    for _ in 0..1000 {
        admin.call("status", json!({})).await.unwrap();
    }
    println!("1000 status: {:?}", t.elapsed());
    let t = Instant::now();
    let job = admin
        .call(
            "submit",
            json!({"code": "for i in range(10000):\n    print(i)\n"}),
        )
        .await
        .unwrap();
    until(&admin, "job", json!({"job": job["job"]}), |r| {
        r["state"] == "succeeded"
    })
    .await;
    println!("10000 lines: {:?}", t.elapsed());
    let mut n = (0, 0);
    loop {
        let m = host.next_of(&[patchbay_abi_kind()]).await;
        let h: serde_json::Value = m.read_head().unwrap();
        let k = h["kind"].as_str().unwrap().to_owned();
        if k == "log" {
            n.0 += 1
        } else if k == "state" {
            n.1 += 1
        } else if k == "job" && String::from_utf8_lossy(&m.body).contains("finished") {
            break;
        }
    }
    println!("log events {} state events {}", n.0, n.1);
    let t = Instant::now();
    let log = admin.call("log", json!({"last": 1000})).await.unwrap();
    println!(
        "log 1000: {:?} {}",
        t.elapsed(),
        log["messages"].as_array().unwrap().len()
    );
    sleep(Duration::from_millis(10)).await;
    host.stop().await;
}
fn patchbay_abi_kind() -> patchbay_abi::Kind {
    patchbay_abi::Kind::EVENT
}

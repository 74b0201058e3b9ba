//! Logins and links to a real NICOS daemon: who is let in, what waits for what, and what a crash does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use std::time::Duration;

use bench::{daemon, event_where, plugin, until};
use patchbay_sdk::{FaultKind, Role};
use serde_json::json;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn the_daemon_decides_who_is_let_in_and_as_what() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;

    let refused = host.login("user", "wrong").await.err().unwrap();
    assert_eq!(refused.kind, FaultKind::Unauthorized);
    assert!(
        refused.message.contains("“Invalid username or password!”"),
        "{refused}"
    );
    assert!(!refused.message.contains("wrong"), "{refused}");

    let levels = [
        ("guest", "anything", Role::View, 0),
        ("user", "user", Role::User, 10),
        ("admin", "admin", Role::Admin, 20),
    ];
    for (user, secret, role, level) in levels {
        let session = host.login(user, secret).await.unwrap();
        assert_eq!(
            (session.role, &session.detail["user_level"]),
            (role, &json!(level))
        );
        session.logout();
    }

    // Also while a client with the right password is there.
    let _user = host.login("user", "user").await.unwrap();
    assert_eq!(
        host.login("user", "wrong").await.err().unwrap().kind,
        FaultKind::Unauthorized
    );
    assert_eq!(
        host.login("user", "").await.err().unwrap().kind,
        FaultKind::Unauthorized
    );
    host.stop().await;
}

#[tokio::test]
async fn clients_with_the_same_login_share_its_connections() {
    let nicos = daemon().await;
    let host = plugin(
        &nicos,
        json!({"observer": {"login": "guest", "secret": {"value": "x"}}, "idle_s": 0.1}),
    )
    .await;
    event_where(&host, "link", |body| body["link"] == "up").await;
    let first = host.login("user", "user").await.unwrap();
    first.call("eval", json!({"code": "1"})).await.unwrap();
    let mut others = Vec::new();
    for _ in 0..10 {
        others.push(host.login("user", "user").await.unwrap());
    }
    for other in &others {
        other.call("status", json!({})).await.unwrap();
        other.call("eval", json!({"code": "1"})).await.unwrap();
    }
    assert_eq!(
        first.call("resume", json!({})).await.unwrap_err().kind,
        FaultKind::Conflict
    );
    // One for the observer, and for the user one each for queries, what is urgent, and what is long.
    let logins = nicos
        .log_tail(1000)
        .into_iter()
        .filter(|line| line.contains("login succeeded"))
        .count();
    assert_eq!(logins, 4);

    // The last to leave closes the door, and who comes again opens it.
    first.logout();
    others.into_iter().for_each(|other| other.logout());
    sleep(Duration::from_secs(2)).await;
    let again = host.login("user", "user").await.unwrap();
    again.call("status", json!({})).await.unwrap();
    let logins = nicos
        .log_tail(1000)
        .into_iter()
        .filter(|line| line.contains("login succeeded"))
        .count();
    assert!(logins > 4);
    host.stop().await;
}

#[tokio::test]
async fn nothing_urgent_waits_behind_an_evaluation_of_thirty_seconds() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    user.call("submit", json!({"code": "while True:\n    sleep(0.05)\n"}))
        .await
        .unwrap();
    event_where(&host, "job", |body| body["state"] == "started").await;

    let long = user.call("eval", json!({"code": "__import__('time').sleep(30)"}));
    let meanwhile = async {
        sleep(Duration::from_millis(300)).await;
        user.call("status", json!({})).await.unwrap();
        user.call("pause", json!({})).await.unwrap();
        event_where(&host, "job", |body| body["state"] == "paused").await;
        user.call("resume", json!({})).await.unwrap();
        user.call("stop", json!({"at": "now"})).await.unwrap();
        user.call("emergency", json!({})).await.unwrap();
        event_where(&host, "job", |body| body["outcome"] == "failed").await;
    };
    tokio::select! {
        answer = long => panic!("the evaluation ended first: {answer:?}"),
        () = meanwhile => {}
    }
}

#[tokio::test]
async fn evaluations_return_values_and_say_what_was_raised() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let admin = host.login("admin", "admin").await.unwrap();
    let values = [
        ("1 + 1", json!(2)),
        ("None", json!(null)),
        (
            "(1, 'a', [2.5, None], {'k': b'x'})",
            json!([1, "a", [2.5, null], {"k": {"$bytes": "eA=="}}]),
        ),
        (
            "{1: float('inf')}",
            json!({"$dict": [[1, {"$float": "inf"}]]}),
        ),
        ("2 ** 70", json!({"$int": (1u128 << 70).to_string()})),
        ("mot", json!("mot")),
        (
            "__import__('numpy').arange(4).reshape(2, 2)",
            json!([[0, 1], [2, 3]]),
        ),
        ("'\\udc80'", json!("\u{fffd}")),
    ];
    for (code, value) in values {
        assert_eq!(
            admin.call("eval", json!({"code": code})).await.unwrap()["value"],
            value,
            "{code}"
        );
    }
    let raised = admin
        .call("eval", json!({"code": "no_such_name"}))
        .await
        .unwrap_err();
    assert_eq!(raised.kind, FaultKind::Invalid);
    assert!(
        raised.message.contains("NameError") && raised.message.contains("no_such_name"),
        "{raised}"
    );
    assert!(
        admin
            .call("eval", json!({"code": "lambda: 0"}))
            .await
            .is_err()
    );
    assert_eq!(
        admin
            .call("exec", json!({"code": "answer = 42"}))
            .await
            .unwrap(),
        json!(null)
    );

    let banner = admin.call("banner", json!({})).await.unwrap();
    assert_eq!(
        (&banner["server"], &banner["version"], &banner["protocol"]),
        (&json!("nicos"), &json!("3.12.2"), &json!(24))
    );
    assert_eq!(banner["native"]["nicos"]["serializer"], "classic");
    assert_eq!(banner["native"]["nicos"]["rsakey"], json!(null));

    let unknown = admin
        .call("environment", json!({"do": "reset"}))
        .await
        .unwrap_err();
    assert_eq!(unknown.kind, FaultKind::Unsupported);
    assert!(unknown.message.contains("`environment`"), "{unknown}");
    host.stop().await;
}

#[tokio::test]
async fn a_script_of_five_megabytes_is_refused_before_it_is_sent() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    let code = format!("# {}\n", "x".repeat(5 << 20));
    let refused = user
        .call("submit", json!({"code": code}))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::TooLarge);
    assert!(refused.message.contains("frame_limit_bytes"), "{refused}");
    user.call("status", json!({})).await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn after_a_crash_jobs_are_lost_and_sessions_live_on() {
    let mut nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let done = user.call("submit", json!({"code": "1"})).await.unwrap();
    event_where(&host, "job", |body| body["outcome"] == "succeeded").await;
    let running = user
        .call("submit", json!({"code": "while True:\n    sleep(0.1)\n"}))
        .await
        .unwrap();
    let waiting = user
        .call("submit", json!({"code": "sleep(1)\n"}))
        .await
        .unwrap();
    event_where(&host, "job", |body| body["state"] == "started").await;

    nicos.kill9();
    event_where(&host, "link", |body| body["link"] == "down").await;
    event_where(&host, "state", |body| {
        body["run"] == "unknown" && body["link"] == "down"
    })
    .await;
    let address = nicos.address().to_string();
    let end = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let fault = timeout(Duration::from_secs(5), user.call("status", json!({})))
            .await
            .expect("prompt")
            .unwrap_err();
        if fault.kind == FaultKind::Unavailable && fault.message.contains("refused") {
            assert!(fault.message.contains(&address) && fault.retry, "{fault}");
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{fault}");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        host.login("admin", "admin").await.err().unwrap().kind,
        FaultKind::Unavailable
    );
    assert_eq!(
        user.call("job", json!({"job": running["job"]}))
            .await
            .unwrap()["state"],
        "running"
    );

    let nicos = tokio::task::spawn_blocking(move || {
        nicos.restart().expect("NICOS starts again");
        nicos
    });
    let _nicos = nicos.await.unwrap();
    for job in [&running, &waiting] {
        until(&user, "job", json!({"job": job["job"]}), |record| {
            record["state"] == "lost"
        })
        .await;
    }
    assert_eq!(
        user.call("job", json!({"job": done["job"]})).await.unwrap()["state"],
        "succeeded"
    );
    let status = until(&user, "status", json!({}), |status| status["run"] == "idle").await;
    assert_eq!(status["queue"], json!([]));
    let job = user.call("submit", json!({"code": "1"})).await.unwrap();
    until(&user, "job", json!({"job": job["job"]}), |record| {
        record["state"] == "succeeded"
    })
    .await;
    host.stop().await;
}

#[tokio::test]
async fn a_job_that_runs_already_is_known_by_its_id() {
    let nicos = daemon().await;
    let before = plugin(&nicos, json!({})).await;
    let user = before.login("user", "user").await.unwrap();
    let job = user
        .call(
            "submit",
            json!({"name": "early", "code": "while True:\n    sleep(0.1)\n"}),
        )
        .await
        .unwrap();
    until(&user, "job", json!({"job": job["job"]}), |record| {
        record["state"] == "running"
    })
    .await;
    before.stop().await;

    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    let record = until(&user, "job", json!({"job": job["job"]}), |record| {
        record["state"] == "running"
    })
    .await;
    assert_eq!(record["name"], "early");
    assert_eq!(
        user.call("status", json!({})).await.unwrap()["job"]["id"],
        job["job"]
    );
    host.stop().await;
}

#[tokio::test]
async fn the_plugin_starts_without_a_daemon_and_finds_it_later() {
    let mut nicos = daemon().await;
    nicos.stop();
    let observer = json!({"observer": {"login": "guest", "secret": {"value": "x"}}});
    let host = plugin(&nicos, observer).await;
    event_where(&host, "link", |body| body["link"] == "down").await;
    let fault = host.login("user", "user").await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(
        fault.message.contains(&nicos.address().to_string()),
        "{fault}"
    );

    let nicos = tokio::task::spawn_blocking(move || {
        nicos.restart().expect("NICOS starts again");
        nicos
    });
    let _nicos = nicos.await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let user = host.login("user", "user").await.unwrap();
    user.call("status", json!({})).await.unwrap();
    host.stop().await;
}

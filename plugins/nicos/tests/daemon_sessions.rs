//! Who shares a login at a real NICOS daemon, who may do what there, and how it all ends.

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
use futures_util::future::join_all;
use patchbay_sdk::{FaultKind, Role};
use patchbay_servers::Nicos;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// How often the daemon has let somebody in.
fn logins(nicos: &Nicos) -> usize {
    let lines = nicos.log_tail(10_000);
    let is_login = |line: &&String| line.contains("login succeeded");
    lines.iter().filter(is_login).count()
}

/// An observer of its own, so that the others' logins can be counted.
fn observed(more: Value) -> Value {
    let mut config = json!({"observer": {"login": "guest", "secret": {"value": "x"}}});
    let more = more.as_object().cloned().unwrap_or_default();
    config.as_object_mut().unwrap().extend(more);
    config
}

#[tokio::test]
async fn fifty_clients_of_one_login_share_three_connections() {
    let nicos = daemon().await;
    let host = plugin(&nicos, observed(json!({}))).await;
    let clients = join_all((0..50).map(|_| host.login("user", "user"))).await;
    let clients: Vec<_> = clients.into_iter().map(Result::unwrap).collect();
    let values = join_all(clients.iter().map(|client| async {
        let status = client.call("status", json!({})).await.unwrap();
        let value = client.call("eval", json!({"code": "6 * 7"})).await.unwrap();
        (status["link"].clone(), value["value"].clone())
    }));
    assert_eq!(values.await, vec![(json!("up"), json!(42)); 50]);
    // The observer, and one for each lane.
    assert_eq!(logins(&nicos), 4);
    host.stop().await;
}

#[tokio::test]
async fn clients_that_want_it_have_a_login_each_that_ends_with_them() {
    let nicos = daemon().await;
    let host = plugin(&nicos, observed(json!({"sessions": "per-client"}))).await;
    let clients = join_all((0..3).map(|_| host.login("user", "user"))).await;
    let clients: Vec<_> = clients.into_iter().map(Result::unwrap).collect();
    for client in &clients {
        let refused = client.call("pause", json!({})).await.unwrap_err();
        assert_eq!(refused.kind, FaultKind::Conflict, "{refused}");
    }
    // The observer, and each client's two lanes.
    assert_eq!(logins(&nicos), 1 + 3 * 2);
    let told = nicos.log_tail(10_000);
    clients.into_iter().for_each(|client| client.logout());
    let gone = async {
        loop {
            let lines = nicos.log_tail(10_000);
            let ends = lines.iter().filter(|line| line.ends_with("disconnect"));
            if ends.count() == 6 {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let gone = timeout(3 * patchbay_testkit::PATIENCE, gone).await;
    assert!(gone.is_ok(), "six connections say farewell: {told:?}");
    host.stop().await;
}

#[tokio::test]
async fn with_a_login_each_private_events_are_the_clients_of_that_login() {
    let nicos = daemon().await;
    let host = plugin(&nicos, observed(json!({"sessions": "per-client"}))).await;
    event_where(&host, "link", |body| body["link"] == "up").await;
    let [one, two] = [
        host.login("user", "user").await.unwrap(),
        host.login("user", "user").await.unwrap(),
    ];
    for client in [&two, &one] {
        client
            .call("exec", json!({"code": "help(maw)"}))
            .await
            .unwrap();
        let session = loop {
            let event = host.next_of(&[patchbay_abi::Kind::EVENT]).await;
            let head: patchbay_abi::head::Event = event.read_head().unwrap();
            if let Some(session) = head.session {
                break session;
            }
        };
        assert_eq!(session, client.id());
    }
    host.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_while_others_use_the_right_one() {
    let nicos = daemon().await;
    for sessions in ["shared", "per-client"] {
        let host = plugin(&nicos, json!({"sessions": sessions})).await;
        let first = host.login("user", "user").await.unwrap();
        let fault = host.login("user", "wrong").await.err().unwrap();
        assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
        let second = host.login("user", "user").await.unwrap();
        first.call("status", json!({})).await.unwrap();
        second.call("status", json!({})).await.unwrap();
        host.stop().await;
    }
}

#[tokio::test]
async fn roles_are_as_the_operator_has_mapped_them() {
    let nicos = daemon().await;
    let roles = json!({"role_map": {"user": "expert"}, "login_roles": {"guest": "user"}});
    let host = plugin(&nicos, roles).await;
    for (login, role) in [
        ("user", Role::Expert),
        ("guest", Role::User),
        ("admin", Role::Admin),
    ] {
        let session = host.login(login, login).await.unwrap();
        assert_eq!(session.role, role, "{login}");
    }
    host.stop().await;
}

#[tokio::test]
async fn a_stop_soon_after_a_login_leaves_the_daemon_open_to_others() {
    let nicos = daemon().await;
    let stop = async {
        for round in 0..20 {
            let host = plugin(&nicos, json!({})).await;
            let _session = host.login("user", "user").await.unwrap();
            sleep(Duration::from_millis(round * 10)).await;
            host.stop().await;
        }
    };
    timeout(Duration::from_secs(150), stop).await.unwrap();
    let host = plugin(&nicos, json!({})).await;
    let session = host.login("admin", "admin").await.unwrap();
    session.call("status", json!({})).await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn closing_does_not_wait_for_an_evaluation() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    let long = user.call("eval", json!({"code": "__import__('time').sleep(60)"}));
    let stop = async {
        // Its lane is busy by now.
        until(&user, "status", json!({}), |status| status["link"] == "up").await;
        sleep(Duration::from_millis(500)).await;
        host.stop_without_waiting();
        host.next_of(&[patchbay_abi::Kind::STOPPED]).await;
    };
    let (fault, ()) = tokio::join!(long, stop);
    let fault = fault.unwrap_err();
    assert!(
        matches!(
            fault.kind,
            FaultKind::UnknownOutcome | FaultKind::ShuttingDown
        ),
        "{fault}"
    );
}

#[tokio::test]
async fn quick_logins_and_logouts_during_a_busy_script_leave_the_daemon_open_to_others() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({"sessions": "per-client"})).await;
    let first = host.login("admin", "admin").await.unwrap();
    let code = "for i in range(1000000):\n    printinfo(i)\n";
    first.call("submit", json!({"code": code})).await.unwrap();
    event_where(&host, "job", |body| body["state"] == "started").await;
    for _ in 0..20 {
        let client = host.login("user", "user").await.unwrap();
        client.call("status", json!({})).await.unwrap();
        client.logout();
    }
    first.call("stop", json!({})).await.unwrap();
    host.stop().await;
    let host = plugin(&nicos, json!({})).await;
    let session = host.login("user", "user").await.unwrap();
    session.call("status", json!({})).await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn a_match_is_let_in_without_the_daemon_until_its_word_is_old() {
    let nicos = daemon().await;
    let host = plugin(&nicos, observed(json!({"verify_s": 10}))).await;
    let _first = host.login("user", "user").await.unwrap();
    // The observer and the two lanes.
    let all = async {
        while logins(&nicos) < 3 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(patchbay_testkit::PATIENCE, all).await.unwrap();
    let _second = host.login("user", "user").await.unwrap();
    assert_eq!(logins(&nicos), 3);
    sleep(Duration::from_millis(10_100)).await;
    let _third = host.login("user", "user").await.unwrap();
    assert_eq!(logins(&nicos), 4);
    host.stop().await;
}

//! Who is let in. The server has no say in it, so none is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use patchbay_queueserver::QueueServer;
use patchbay_sdk::{Backend, FaultKind, Role};
use patchbay_testkit::{BackendHost, Wire};
use serde_json::{Value, json};

async fn host(more: Value) -> BackendHost {
    let mut config = json!({"control": "127.0.0.1:1", "info": ""});
    let fields = config.as_object_mut().unwrap();
    fields.extend(more.as_object().cloned().unwrap());
    let started = BackendHost::start::<QueueServer>(config, Wire::InProcess).await;
    started.expect("the plugin starts without a server")
}

#[tokio::test]
async fn without_a_list_nobody_with_a_password_is_let_in() {
    let host = host(json!({})).await;
    let fault = host.login("anna", "secret").await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    assert!(fault.message.contains("`users`"), "{fault}");
    const { assert!(QueueServer::TAKES_THE_HOSTS_WORD) };
}

#[tokio::test]
async fn with_a_list_those_on_it_are_by_their_own_password() {
    let users = json!({"anna": {"secret": {"value": "right"}, "role": "expert"}});
    let host = host(json!({ "users": users })).await;
    assert_eq!(
        host.login("anna", "right").await.unwrap().role,
        Role::Expert
    );
    let wrong = host.login("anna", "wrong").await.err().unwrap();
    let unknown = host.login("bob", "right").await.err().unwrap();
    assert_eq!(
        (&wrong.kind, &wrong.message),
        (&unknown.kind, &unknown.message)
    );
    assert_eq!(wrong.kind, FaultKind::Unauthorized);
}

#[tokio::test]
async fn anyone_is_let_in_where_an_operator_says_so_and_still_not_as_somebody_on_the_list() {
    let users = json!({"anna": {"secret": {"value": "right"}, "role": "expert"}});
    let host = host(json!({"users": users, "login": "anyone", "anyone_role": "view"})).await;
    assert_eq!(host.login("bob", "").await.unwrap().role, Role::View);
    assert!(host.login("anna", "").await.is_err());
}

#[tokio::test]
async fn without_a_server_what_is_asked_is_unavailable_and_the_rest_is_answered() {
    let host = host(json!({"login": "anyone", "anyone_role": "admin"})).await;
    let anna = host.login("anna", "").await.unwrap();
    for (op, args) in [
        ("submit", json!({"code": "1"})),
        ("devices", json!({})),
        ("pause", json!({})),
        ("native", json!({"method": "status"})),
    ] {
        let fault = anna.call(op, args).await.unwrap_err();
        assert_eq!(
            (&fault.kind, fault.retry),
            (&FaultKind::Unavailable, true),
            "{op}: {fault}"
        );
    }
    let status = anna.call("status", json!({})).await.unwrap();
    assert_eq!(
        (&status["run"], &status["job"]),
        (&json!("unknown"), &Value::Null)
    );
    assert_eq!(
        anna.call("log", json!({})).await.unwrap(),
        json!({"messages": []})
    );
    let unsupported = [
        "finish", "history", "simulate", "complete", "watch", "answer",
    ];
    for op in unsupported {
        let fault = anna.call(op, json!({})).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unsupported, "{op}");
        assert!(fault.message.contains("is not offered: "), "{fault}");
    }
    host.stop().await;
}

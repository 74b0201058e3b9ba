//! Who may come in, and what is said of this backend.

mod common;

use common::{Shop, start};
use patchbay_python::Python;
use patchbay_sdk::{FaultKind, Role};
use patchbay_testkit::{BackendHost, Wire};
use serde_json::{Value, json};

#[tokio::test]
async fn nobody_comes_in_unless_that_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let host = BackendHost::start::<Python>(json!({"folder": folder.path()}), Wire::Bytes)
        .await
        .unwrap();
    let fault = host.login("anna", "x").await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    assert!(fault.message.contains("`anyone`"), "{fault}");
    host.stop().await;
}

#[tokio::test]
async fn those_who_are_listed_come_in_with_their_password() {
    let folder = tempfile::tempdir().unwrap();
    let users = json!({"anna": {"role": "expert", "secret": {"value": "right"}}});
    let host = start(&folder, json!({"anyone": null, "users": users}))
        .await
        .unwrap();
    assert_eq!(
        host.login("anna", "right").await.unwrap().role,
        Role::Expert
    );
    for (user, secret) in [("anna", "wrong"), ("anna", ""), ("ben", "right")] {
        let fault = host.login(user, secret).await.err().unwrap();
        assert_eq!(fault.message, "the name or the password is wrong");
    }
    host.stop().await;
    // Everybody else may look, but not in anna's name.
    let host = start(&folder, json!({"anyone": "view", "users": users}))
        .await
        .unwrap();
    assert_eq!(host.login("ben", "").await.unwrap().role, Role::View);
    assert!(host.login("anna", "").await.is_err());
    host.stop().await;
}

#[tokio::test]
async fn mistakes_in_the_configuration_are_named() {
    for (name, value) in [
        ("memory_mib", json!(1)),
        ("queue_most", json!(0)),
        ("eval_seconds", json!(0)),
        ("on_stop", json!("perhaps")),
        ("colour", json!("red")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut more = json!({});
        more[name] = value;
        let fault = start(&folder, more).await.err().unwrap();
        assert_eq!(fault.kind, FaultKind::Invalid);
        let shown = if name == "on_stop" { "perhaps" } else { name };
        assert!(fault.message.contains(shown), "{fault}");
    }
}

#[tokio::test]
async fn capabilities_and_refusals_agree() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let capabilities = client.ok("capabilities", json!({})).await;
    let refused = |what: &Value| what["unsupported"].is_string();
    for op in ["finish", "history", "devices", "watch", "unwatch"] {
        let entry = &capabilities["ops"][op];
        assert!(refused(entry), "{op}: {entry}");
        let fault = client.fault(op, json!({})).await;
        assert_eq!(fault.kind, FaultKind::Unsupported, "{op}");
        assert!(
            fault
                .message
                .contains(entry["unsupported"].as_str().unwrap()),
            "{fault}"
        );
    }
    let banner = client.ok("banner", json!({})).await;
    assert_eq!(banner["server"], "python");
    assert!(banner["python"].as_str().unwrap().starts_with("3."));
    let native = client.fault("native", json!({"method": "reboot"})).await;
    assert_eq!(native.kind, FaultKind::Unsupported);
    shop.host.stop().await;
}

#[tokio::test]
async fn scripts_see_only_the_environment_that_they_are_given() {
    let more = json!({"environment": {"LAB": "m1"}, "environment_keep": ["CARGO_PKG_NAME"]});
    let shop = Shop::with(more).await;
    let client = shop.login().await;
    assert_eq!(client.eval("__import__('os').environ['LAB']").await, "m1");
    assert_eq!(
        client
            .eval("__import__('os').environ['CARGO_PKG_NAME']")
            .await,
        "patchbay-python"
    );
    assert_eq!(
        client
            .eval("'CARGO_MANIFEST_DIR' in __import__('os').environ")
            .await,
        false
    );
    assert_eq!(client.eval("__import__('sys').stdin.read()").await, "");
    shop.host.stop().await;
}

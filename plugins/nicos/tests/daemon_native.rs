//! NICOS's own commands by their own names, on a real daemon.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use bench::{daemon, daemon_with_cache, event_where, plugin, until};
use patchbay_sdk::{Fault, FaultKind};
use patchbay_testkit::TestSession;
use serde_json::{Value, json};

async fn native(session: &TestSession<'_>, method: &str, params: Value) -> Result<Value, Fault> {
    let args = json!({"method": method, "params": params});
    session.call("native", args).await
}

#[tokio::test]
async fn every_command_that_belongs_to_no_connection_can_be_sent() {
    let nicos = daemon_with_cache().await;
    let host = plugin(&nicos, json!({})).await;
    let admin = host.login("admin", "admin").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let send = async |method: &str, params: Value| native(&admin, method, params).await;

    assert_eq!(send("getversion", json!([])).await.unwrap(), "3.12.2");
    assert_eq!(
        send("getstatus", json!([])).await.unwrap()["mode"],
        "master"
    );
    let code = "scan(mot, 0, 1, 2, det, t=0.01)\n";
    let id = send("queue", json!(["s", code])).await.unwrap();
    let record = until(&admin, "job", json!({"job": id}), |job| {
        job["ended"].is_number()
    });
    assert_eq!(record.await["state"], "succeeded");
    assert_eq!(send("getscript", json!([])).await.unwrap(), code);
    let scan = send("getdataset", json!([-1])).await.unwrap();
    assert_eq!(scan["$class"], "nicos.core.data.dataset.ScanData");
    assert_eq!(scan["xresults"], json!([[0.0], [1.0]]));
    let keys = send("getcachekeys", json!(["mot/"])).await.unwrap();
    let keys = keys.as_array().unwrap();
    assert!(
        keys.iter().any(|pair| *pair == json!(["mot/value", 1.0])),
        "{keys:?}"
    );
    let history = send("gethistory", json!(["mot/value", 0, "4e9"]))
        .await
        .unwrap();
    assert!(!history.as_array().unwrap().is_empty());
    let trace = send("gettrace", json!([])).await.unwrap();
    assert!(trace.as_str().unwrap().contains("script_thread_entry"));
    let ends = send("complete", json!(["mo", "mo"])).await.unwrap();
    assert!(ends.as_array().unwrap().contains(&json!("mot")));

    let file = send("transfer", json!([{"$bytes": "AP8K"}])).await.unwrap();
    let read = format!("open({file}, 'rb').read()");
    let read = send("eval", json!([read, false])).await.unwrap();
    assert_eq!(read, json!({"$bytes": "AP8K"}));
    let remove = format!("import os; os.remove({file})");
    send("exec", json!([remove])).await.unwrap();
    let text = send("eval", json!(["1 +", true])).await.unwrap();
    assert!(
        text.as_str().unwrap().contains("cannot be evaluated"),
        "{text}"
    );
    let raised = send("eval", json!(["1 / 0", false])).await.unwrap_err();
    assert!(raised.message.contains("ZeroDivisionError"), "{raised}");

    for (method, params) in [
        ("keepalive", json!([])),
        ("eventmask", json!([["message"]])),
        ("eventunmask", json!([["message"]])),
        ("unlock", json!([])),
        ("watch", json!([["mot"]])),
        ("unwatch", json!([["*"]])),
        ("simulate", json!(["", "maw(mot, 1)\n", "an id"])),
        ("unqueue", json!(["*"])),
        ("rearrange", json!([[]])),
        ("emergency", json!([])),
    ] {
        assert_eq!(send(method, params).await.unwrap(), Value::Null, "{method}");
    }
    for (method, params) in [
        ("break", json!([1])),
        ("continue", json!([])),
        ("stop", json!([1])),
        ("finish", json!([])),
        ("update", json!(["x = 1\n", "why"])),
        ("debuginput", json!(["c"])),
    ] {
        let fault = send(method, params).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Conflict, "{method}: {fault}");
    }
    let empty = send("debug", json!([""])).await.unwrap_err();
    assert!(empty.message.contains("no piece of code"), "{empty}");
    host.stop().await;
}

#[tokio::test]
async fn commands_of_the_connections_are_not_sent_and_unknown_ones_are_named() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let admin = host.login("admin", "admin").await.unwrap();
    for (method, instead) in [("authenticate", "logs in"), ("quit", "logged out")] {
        let fault = native(&admin, method, json!([])).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unsupported, "{method}");
        assert!(fault.message.contains(instead), "{fault}");
    }
    let slip = native(&admin, "getstats", json!([])).await.unwrap_err();
    assert_eq!(slip.kind, FaultKind::Invalid);
    assert!(slip.message.contains("did you mean `getstatus`?"), "{slip}");
    let few = native(&admin, "eval", json!([])).await.unwrap_err();
    assert_eq!(few.kind, FaultKind::Protocol);
    assert!(few.message.contains("invalid number of arguments"), "{few}");
    let unsayable = native(&admin, "eval", json!([{"$class": "os.system"}, true]));
    assert_eq!(unsayable.await.unwrap_err().kind, FaultKind::Invalid);
    host.stop().await;
}

#[tokio::test]
async fn nobody_gets_all_messages_of_the_day() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({"log_most": 5})).await;
    let admin = host.login("admin", "admin").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let code = "for i in range(20):\n    printinfo(i)\n";
    let said = json!({"code": code});
    let id = admin.call("submit", said).await.unwrap();
    let ended = until(&admin, "job", id, |job| job["ended"].is_number());
    assert_eq!(ended.await["state"], "succeeded");
    for count in [
        json!("*"),
        json!(0),
        json!(-1),
        json!("17"),
        json!(1_000_000),
    ] {
        let messages = native(&admin, "getmessages", json!([count])).await.unwrap();
        assert_eq!(messages.as_array().unwrap().len(), 5, "{count}");
    }
    let two = native(&admin, "getmessages", json!(["2"])).await.unwrap();
    assert_eq!(two.as_array().unwrap().len(), 2);
    host.stop().await;
}

#[tokio::test]
async fn a_script_can_be_debugged() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let admin = host.login("admin", "admin").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    native(&admin, "debug", json!(["x = 1\n"])).await.unwrap();
    let debugging =
        |on: bool| move |body: &Value| body["event"] == "debugging" && body["value"] == json!(on);
    event_where(&host, "native", debugging(true)).await;
    let prompt = |line: &Value| line["text"].as_str().unwrap().starts_with("> ");
    event_where(&host, "log", prompt).await;
    native(&admin, "debuginput", json!(["c"])).await.unwrap();
    event_where(&host, "native", debugging(false)).await;
    event_where(&host, "job", |body| body["outcome"] == "succeeded").await;
    host.stop().await;
}

/// Runs forever, one line after the other.
const ENDLESS: &str = "while True:\n    sleep(0.05)\n";

#[tokio::test]
async fn a_running_script_is_controlled_by_nicos_own_commands() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let admin = host.login("admin", "admin").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let send = async |method: &str, params: Value| native(&admin, method, params).await;
    let becomes = async |run: &'static str| {
        event_where(&host, "state", |body| body["run"] == run).await;
    };

    let id = send("start", json!(["endless", ENDLESS])).await.unwrap();
    becomes("running").await;
    let (second, _) = event_where(&host, "state", |body| body["line"] == 2).await;
    assert_eq!(json!(second), id);
    let longer = format!("{ENDLESS}x = 1\n");
    send("update", json!([longer, "more"])).await.unwrap();
    let (edited, _) = event_where(&host, "job", |body| body["state"] == "edited").await;
    assert_eq!(json!(edited), id);
    send("break", json!([1])).await.unwrap();
    becomes("paused").await;
    send("continue", json!([])).await.unwrap();
    becomes("running").await;
    send("finish", json!([])).await.unwrap();
    send("stop", json!([5])).await.unwrap();
    let (ended, _) = event_where(&host, "job", |body| body["outcome"] == "failed").await;
    assert_eq!(json!(ended), id);
    host.stop().await;
}

#[tokio::test]
async fn a_job_that_is_to_start_at_once_starts_if_nothing_runs() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let args = json!({"name": "now", "code": ENDLESS, "start": true});
    let job = user.call("submit", args.clone()).await.unwrap();
    let (started, body) = event_where(&host, "job", |body| body["state"] == "started").await;
    assert_eq!(
        (json!(started), &body["name"]),
        (job["job"].clone(), &json!("now"))
    );
    let refused = user.call("submit", args).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Conflict);
    assert!(refused.message.contains("a script is running"), "{refused}");
    user.call("emergency", json!({})).await.unwrap();
    host.stop().await;
}

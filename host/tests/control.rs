//! What an operator says to a gateway that runs, and what its clients notice of it.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod site;

use serde_json::{Value, json};
use site::{Client, Gateway, PATIENCE};
use std::process::Command;
use std::time::Instant;

const CONFIG: &str = r#"
[gateway]
name = "here"
plugin_path = ["."]
[[backend]]
id = "one"
plugin = "echo"
config = { role = "user" }
[[backend]]
id = "two"
plugin = "echo"
[[frontend]]
id = "local"
plugin = "socket"
backend = "one"
[frontend.config]
unix = "@SOCKET@"
"#;

#[test]
fn an_operator_sees_everything_and_leads_clients_to_another_backend() {
    let gateway = Gateway::start(&["echo", "socket"], CONFIG);
    let mut client = Client::login(&gateway.socket());
    let shown = gateway.say(&["status"]).unwrap();
    for part in [
        "here, version ",
        "local → one",
        "echo",
        "running",
        "CLIENTS",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let sessions = gateway.say(&["sessions"]).unwrap();
    assert!(
        sessions.contains("anna") && sessions.contains("user"),
        "{sessions}"
    );

    let said = gateway.say(&["route", "local", "two"]).unwrap();
    assert!(said.contains("local leads to two now"), "{said}");
    let answer = client.ask(&json!({"op": "status", "args": {"n": 1}}));
    assert_eq!(answer, json!({"ok": {"n": 1}}));
    let sessions = gateway.say(&["sessions", "--json"]).unwrap();
    let sessions: Value = serde_json::from_str(&sessions).unwrap();
    assert_eq!(sessions["sessions"][0]["backend"], "two");
    // The second lets everybody do everything; who they are is still for the first to say.
    let answer = client.ask(&json!({"op": "native", "args": {"method": "x"}}));
    assert_eq!(answer["error"]["kind"], "forbidden");

    let why = gateway.say(&["route", "local", "three"]).unwrap_err();
    assert_eq!(
        why,
        "error: there is no backend `three`; there are: one, two\n"
    );
    gateway.wait("it is in the audit log", |gateway| {
        let shown = gateway.say(&["audit", "--op", "patchbay route"]).unwrap();
        let orders: Vec<&str> = shown.lines().skip(1).collect();
        let [done, failed] = orders[..] else {
            return None;
        };
        let right = done.contains("done") && done.ends_with("local two");
        (right && failed.contains("failed") && failed.ends_with("local three")).then_some(())
    });
    let shown = gateway.say(&["audit", "--user", "anna"]).unwrap();
    assert!(
        shown.contains("native") && shown.contains("forbidden"),
        "{shown}"
    );
}

#[test]
fn a_restarted_instance_costs_no_login() {
    let gateway = Gateway::start(&["echo", "socket"], CONFIG);
    let mut client = Client::login(&gateway.socket());
    gateway.say(&["restart", "one"]).unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = client.ask(&json!({"op": "status", "args": {}}));
        if answer["ok"].is_object() {
            break;
        }
        assert_eq!(answer["error"]["retry"], true, "{answer}");
        assert!(Instant::now() < end);
    }
    let status = gateway.say(&["status"]).unwrap();
    assert!(!status.contains("quarantined"), "{status}");
}

#[test]
fn the_socket_is_its_users_own_and_a_gateway_that_is_not_there_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let gateway = Gateway::start(&["echo", "socket"], CONFIG);
    let file = gateway.folder.path().join("state/control.sock");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("other.toml");
    std::fs::write(&config, "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(["status", config.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no gateway runs here"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

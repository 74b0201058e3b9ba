//! The author's example, loaded by a gateway: a client's script goes to the line server, also after that was killed.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "../../sdk/examples/lineserver/tests/server/mod.rs"]
mod server;
mod site;

use serde_json::{Value, json};
use server::LineServer;
use site::{Client, Gateway};

fn gateway(server: &LineServer) -> Gateway {
    let config = include_str!("../../sdk/examples/lineserver/gateway.toml");
    let config = config.replace("127.0.0.1:7700", &server.address);
    let config = config.replace("tcp = \"127.0.0.1:1310\"", "unix = \"@SOCKET@\"");
    let config = config.replace("../../../target/debug", ".");
    let config = config.replace("../../../target/lineserver-state", "state");
    Gateway::start(&["lineserver", "socket"], &config)
}

/// Waits until operators see the server as it is.
fn wait_for(gateway: &Gateway, health: &str) {
    gateway.wait(health, |gateway| {
        // Its exit status says that not all is well, which is expected here.
        let said = gateway.output(&["status", "--json"]).stdout;
        let said: Value = serde_json::from_slice(&said).ok()?;
        let instances = said["status"]["instances"].as_array()?;
        let is_so = |one: &Value| one["id"] == "server" && one["health"] == health;
        instances.iter().any(is_so).then_some(())
    });
}

/// Submits a script and waits for its end: the lines that it said, and how it ended.
fn run(client: &mut Client, code: &str) -> (Vec<Value>, Value) {
    client.send(&json!({"op": "submit", "args": {"code": code}, "id": 1}));
    let (mut said, mut job) = (vec![], None);
    loop {
        let line = client.line();
        let event = &line["event"];
        match event["kind"].as_str() {
            Some("log") => said.push(event["body"]["text"].clone()),
            Some("job") if event["body"]["state"] == "finished" => {
                assert_eq!(job, Some(event["job"].clone()), "{line}");
                return (said, event["body"]["outcome"].clone());
            }
            Some(_) => {}
            None => job = Some(line["ok"]["job"].clone()),
        }
    }
}

#[test]
fn scripts_run_at_the_line_server_also_after_that_was_killed_and_started_again() {
    let server = LineServer::start();
    let gateway = gateway(&server);
    wait_for(&gateway, "up");
    let mut client = Client::login_with(&gateway.socket(), "anna", "secret");
    client.ask(&json!({"op": "subscribe", "args": {"kinds": ["log", "job"]}}));
    let (said, outcome) = run(&mut client, "one\ntwo");
    assert_eq!(
        (said, outcome),
        (vec![json!("one"), json!("two")], json!("succeeded"))
    );
    server.kill();
    wait_for(&gateway, "down");
    let refused = client.ask(&json!({"op": "submit", "args": {"code": "one"}}));
    assert_eq!(refused["error"]["kind"], "unavailable", "{refused}");
    server.start_again();
    wait_for(&gateway, "up");
    assert_eq!(run(&mut client, "fail"), (vec![], json!("failed")));
}

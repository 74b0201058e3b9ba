//! What clients see of a script server without it being asked, with a real NICOS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Lines, Local, wait_until};
use patchbay_testkit::build;
use serde_json::{Value, json};
use std::process::Command;

fn signal(signal: &str, pid: u32) {
    let mut kill = Command::new("kill");
    let sent = kill.args([signal, &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

fn status(client: &mut Lines) -> Value {
    client.ok(json!({"op": "status"}))
}

#[test]
fn a_daemon_that_hangs_is_spoken_for_and_fresh_waits_for_it() {
    let local = Local::start();
    let mut client = Lines::login(local.address());
    let job = client.ok(json!({"op": "submit", "args": {"name": "known", "code": "sleep(600)"}}));
    wait_until("the script runs", || {
        (status(&mut client)["job"]["id"] == job["job"]).then_some(())
    });
    signal("-STOP", local.nicos.pid());
    let old = wait_until("an old status", || {
        let status = status(&mut client);
        status["stale"].is_string().then_some(status)
    });
    assert_eq!(old["job"]["id"], job["job"]);
    client.send(&json!({"id": "fresh", "op": "status", "args": {"fresh": true}}));
    wait_until("an older status", || {
        let answer = client.ask(&json!({"id": "old", "op": "status"}));
        assert_eq!(answer["id"], "old", "the other one waits: {answer}");
        let older = answer["ok"]["age_s"].as_f64() > old["age_s"].as_f64();
        (older && answer["ok"]["stale"].is_string()).then_some(())
    });
    signal("-CONT", local.nicos.pid());
    let answer = client.answer();
    assert_eq!(answer["id"], "fresh");
    wait_until("a status that is not old", || {
        let status = status(&mut client);
        (status["stale"].is_null() && status["link"] == "up").then_some(())
    });
    client.ok(json!({"op": "stop", "args": {"at": "immediate"}}));
}

#[test]
fn a_daemon_that_is_gone_is_not_said_to_be_up() {
    let mut local = Local::start();
    let mut client = Lines::login(local.address());
    assert_eq!(status(&mut client)["link"], "up");
    local.nicos.kill9();
    let old = wait_until("word that it is gone", || {
        let status = status(&mut client);
        (status["link"] == "down").then_some(status)
    });
    let address = local.nicos.address().to_string();
    assert!(old["stale"].as_str().unwrap().contains(&address), "{old}");
    local.nicos.restart().unwrap();
    wait_until("NICOS again", || {
        let status = status(&mut client);
        (status["stale"].is_null() && status["link"] == "up").then_some(())
    });
}

#[test]
fn whoever_changes_something_sees_it_at_once() {
    let local = Local::start();
    let mut client = Lines::login(local.address());
    let submit = |name: &str| json!({"op": "submit", "args": {"name": name, "code": "sleep(600)"}});
    let blocks = client.ok(submit("blocks"));
    wait_until("the script runs", || {
        (status(&mut client)["job"]["id"] == blocks["job"]).then_some(())
    });
    let ids = |status: &Value| -> Vec<Value> {
        let queue = status["queue"].as_array().unwrap();
        queue.iter().map(|job| job["id"].clone()).collect()
    };
    let mut waiting = Vec::new();
    for number in 0..20 {
        waiting.push(client.ok(submit(&number.to_string()))["job"].clone());
        assert_eq!(ids(&status(&mut client)), waiting);
    }
    while let Some(last) = waiting.pop() {
        client.ok(json!({"op": "remove", "args": {"job": last}}));
        assert_eq!(ids(&status(&mut client)), waiting);
    }
    client.ok(json!({"op": "eval", "args": {"code": "1 + 1"}}));
    client.ok(json!({"op": "exec", "args": {"code": "print('said at once')"}}));
    let log = client.ok(json!({"op": "log", "args": {"last": 20}}));
    assert!(log.to_string().contains("said at once"), "{log}");
    client.ok(json!({"op": "stop", "args": {"at": "immediate"}}));
}

#[test]
fn a_client_goes_on_where_it_was_when_its_frontend_was_restarted() {
    let local = Local::start();
    let mut client = Lines::login(local.address());
    client.ok(json!({"op": "subscribe"}));
    let code = "for i in range(100):\n    print('line %d' % i)\n    sleep(0.02)\n";
    let job = client.ok(json!({"op": "submit", "args": {"code": code}}))["job"].clone();
    let is_line = |event: &Value| event["kind"] == "log" && event["job"] == job;
    let mut seen = Vec::new();
    while seen.iter().filter(|event| is_line(event)).count() < 10 {
        seen.push(client.event());
    }
    let restarted = Command::new(build::folder().join("patchbay"))
        .arg("restart")
        .arg("local")
        .arg(local.gateway.config_path())
        .output()
        .unwrap();
    assert!(restarted.status.success(), "{restarted:?}");
    // It reads on until the connection is closed.
    loop {
        let line = client.read_if_any();
        match line.as_ref().map(|line| line.get("event")) {
            Some(Some(event)) => seen.push(event.clone()),
            Some(None) => {}
            None => break,
        }
    }
    let last = seen.last().unwrap();
    let since = json!({"epoch": last["epoch"], "seq": last["seq"]});
    let mut client = wait_until("the frontend again", || Lines::try_login(local.address()));
    client.ok(json!({"op": "subscribe", "args": {"since": since}}));
    loop {
        let event = client.event();
        let ends = event["job"] == job && event["body"]["state"] == "finished";
        seen.push(event);
        if ends {
            break;
        }
    }
    let epoch = &seen[0]["epoch"];
    let first = seen[0]["seq"].as_u64().unwrap();
    for (position, event) in seen.iter().enumerate() {
        let right = (epoch.clone(), json!(first + position as u64));
        assert_eq!((event["epoch"].clone(), event["seq"].clone()), right);
    }
    let texts = seen.iter().filter(|event| is_line(event));
    let texts = texts.filter(|event| event["body"]["text"].as_str().unwrap().starts_with("line "));
    assert_eq!(texts.count(), 100);
}

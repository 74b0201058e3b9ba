//! What clients notice when something breaks: as little as can be, and nothing twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Client, PATIENCE, Site, gateway, refusal, wait_until};
use patchbay_servers::{ActiveMq, Connect, Jms, silent};
use patchbay_testkit::build;
use serde_json::{Value, json};
use std::time::Duration;

/// The requests of one client are answered in their order, so what it asks after an `eval` waits; what
/// must not wait is urgent, and other clients.
#[test]
fn emergency_pause_and_stop_are_answered_while_an_eval_of_30_s_runs() {
    let site = Site::start();
    let (busy, other) = (site.login("busy"), site.login("other"));
    let eval = json!({ "command": "eval", "expr": "__import__('time').sleep(30)" });
    let eval = busy.send(&eval.to_string());
    let job = other.queue("loop", "for i in range(600):\n    sleep(0.05)\n");
    other.wait_for_job(&job, &["running"]);
    for command in ["break", "stop", "emergency"] {
        assert_eq!(
            busy.nicos(&json!({ "command": command, "level": 1 })),
            Value::Null
        );
    }
    other.wait_for_status(-2);
    let early = site.jms.await_reply("busy", &eval, Duration::ZERO);
    assert!(
        early.is_err(),
        "the eval must still be running for this test to say anything"
    );
}

#[test]
fn a_killed_daemon_means_prompt_errors_and_then_work_without_a_new_login() {
    let mut site = Site::start();
    site.login("loyal");
    site.nicos.kill9();
    // The first ones may still find the connection open; soon each says what is wrong.
    let said = {
        let client = again(&site, "loyal");
        wait_until("an error that names the daemon", || {
            let answer = client.ask(&json!({ "command": "getstatus" }));
            (answer["success"] == false).then(|| refusal(&answer))
        })
    };
    assert!(said.contains(&site.nicos.address().to_string()), "{said}");
    site.nicos.restart().unwrap();
    let client = again(&site, "loyal");
    wait_until("NICOS again", || {
        let answer = client.ask(&json!({ "command": "getstatus" }));
        (answer["success"] == true && answer["payload"]["status"][0] == -1).then_some(())
    });
    let job = client.queue("after", "print('after')");
    client.wait_for_job(&job, &["succeeded"]);
}

#[test]
fn a_killed_broker_costs_no_login() {
    let mut site = Site::start();
    {
        let client = site.connect_patiently("patient");
        let answer = client.authenticate("ibex", patchbay_e2e::IBEX_PASSWORD);
        assert_eq!(answer["success"], true);
    }
    site.broker.kill9();
    site.broker.restart().unwrap();
    let client = again(&site, "patient");
    // A request into the gap may be lost with the broker's memory: the next one must do.
    let answer = wait_until("an answer through the new broker", || {
        let correlation = client.send(&json!({ "command": "getstatus" }).to_string());
        let reply = site
            .jms
            .await_reply("patient", &correlation, Duration::from_secs(2))
            .ok()?;
        serde_json::from_str::<Value>(&reply.text?).ok()
    });
    assert_eq!(answer["success"], true, "{answer}");
}

#[test]
fn a_killed_gateway_runs_no_script_twice_and_tells_the_client() {
    let mut site = Site::start();
    site.login("submitter");
    // The daemon is stopped by a signal, not ended: the submit is under way when the gateway dies.
    let pid = site.nicos.pid().to_string();
    signal("-STOP", &pid);
    let code = "print('ran ' + 'once')";
    let request = json!({ "command": "queue", "name": "once", "code": code }).to_string();
    let correlation = again(&site, "submitter").send(&request);
    // Nobody can tell that it has been sent: the daemon does not answer.
    std::thread::sleep(Duration::from_secs(2));
    site.gateway.kill9();
    signal("-CONT", &pid);
    site.gateway.restart().unwrap();
    let client = again(&site, "submitter");
    let said = refusal(&client.answer(&correlation));
    assert!(
        said.contains("may"),
        "it is not known whether it was queued: {said}"
    );
    let answer = client.authenticate("ibex", patchbay_e2e::IBEX_PASSWORD);
    assert_eq!(answer["success"], true, "{answer}");
    let last = client.queue("last", "print('last')");
    client.wait_for_job(&last, &["succeeded"]);
    let messages = client
        .nicos(&json!({ "command": "getmessages", "n": 100 }))
        .to_string();
    assert!(messages.matches("ran once").count() <= 1, "{messages}");
}

#[test]
fn a_gateway_that_is_started_before_broker_and_daemon_waits_for_them() {
    let mut site = Site::start();
    site.nicos.kill9();
    site.broker.kill9();
    site.gateway.stop();
    std::thread::scope(|scope| {
        let gateway = scope.spawn(|| site.gateway.restart());
        std::thread::sleep(Duration::from_secs(2));
        site.broker.restart().unwrap();
        site.nicos.restart().unwrap();
        gateway.join().unwrap().unwrap();
    });
    let log = site.gateway.log_tail(100).join("\n");
    for address in [site.broker.stomp(), site.nicos.address()] {
        assert!(
            log.contains(&address.to_string()),
            "the log names {address}: {log}"
        );
    }
    let client = wait_until("a login", || {
        let client = site.connect("early");
        let answer = client.authenticate("ibex", patchbay_e2e::IBEX_PASSWORD);
        (answer["success"] == true).then_some(client)
    });
    let job = client.queue("first", "print('first')");
    client.wait_for_job(&job, &["succeeded"]);
}

#[test]
fn sigterm_ends_the_gateway_with_everything_answered() {
    let mut site = Site::start();
    let begun = site.gateway.dir().join("begun");
    let file = begun.display();
    let eval = format!("open('{file}', 'w').close() or __import__('time').sleep(2) or 7");
    let correlation = {
        let client = site.login("last");
        client.send(&json!({ "command": "eval", "expr": eval }).to_string())
    };
    wait_until("the beginning", || begun.exists().then_some(()));
    site.gateway.stop();
    let answer = again(&site, "last").answer(&correlation);
    assert_eq!(answer["payload"], 7, "{answer}");
    let status = site.gateway.wait_exit(PATIENCE).unwrap().unwrap();
    assert_eq!(
        status.code(),
        Some(0),
        "{}",
        site.gateway.log_tail(20).join("\n")
    );
}

#[test]
fn a_panic_in_a_plugin_is_one_clients_error_and_nobody_elses() {
    let broker = ActiveMq::start(&silent).unwrap();
    let config = ROGUE.replace("@STOMP@", &broker.stomp().to_string());
    let _gateway = gateway(&config, &["rogue", "activemq"]);
    let jms = Jms::start(&silent).unwrap();
    for name in ["one", "other"] {
        jms.open(name, &Connect::to(broker.openwire())).unwrap();
    }
    let [one, other] = ["one", "other"].map(|name| Client::of(&jms, name));
    for client in [&one, &other] {
        assert_eq!(client.authenticate("admin", "any")["success"], true);
    }
    let said = one.refused(&json!({ "command": "eval", "expr": "panic", "stringify": false }));
    assert!(said.contains("panic"), "{said}");
    for client in [&one, &other] {
        let answer = client.ask(&json!({ "op": "status", "args": { "still": "here" } }));
        assert_eq!(answer["ok"]["still"], "here", "{answer}");
    }
}

/// A stuck terminal or journal: the log's pipe is full, and nobody reads it.
#[test]
fn a_log_that_nobody_reads_holds_up_nobody() {
    let broker = ActiveMq::start(&silent).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let plugins = ["rogue", "activemq"].map(build::plugin);
    build::package("patchbay");
    let config = ROGUE
        .replace("@STOMP@", &broker.stomp().to_string())
        .replace("@PLUGINS@", &plugins[0].parent().unwrap().to_string_lossy());
    let file = folder.path().join("patchbay.toml");
    std::fs::write(&file, config).unwrap();
    let mut gateway = std::process::Command::new(build::folder().join("patchbay"))
        .arg("run")
        .arg(&file)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let jms = Jms::start(&silent).unwrap();
    jms.open("talker", &Connect::to(broker.openwire())).unwrap();
    let client = Client::of(&jms, "talker");
    assert_eq!(client.authenticate("admin", "any")["success"], true);
    // Each of these is a line in the log; a pipe holds 64 KiB of them.
    for _ in 0..400 {
        let panics = json!({ "command": "eval", "expr": "panic", "stringify": false });
        assert!(client.refused(&panics).contains("panic"));
    }
    assert_eq!(
        client.nicos(&json!({ "command": "emergency" })),
        Value::Null
    );
    signal("-TERM", &gateway.id().to_string());
    let ended = wait_until("the end of the gateway", || gateway.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0));
}

const ROGUE: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
[[backend]]
id = "rogue"
plugin = "rogue"
[[frontend]]
id = "ibex"
plugin = "activemq"
backend = "rogue"
[frontend.config]
broker = "@STOMP@"
"#;

/// The client of that name, which is connected already.
fn again<'a>(site: &'a Site, name: &str) -> Client<'a> {
    Client::of(&site.jms, name)
}

fn signal(signal: &str, pid: &str) {
    let sent = std::process::Command::new("kill")
        .args([signal, pid])
        .status()
        .unwrap();
    assert!(sent.success());
}

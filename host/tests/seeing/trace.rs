//! Looking on while things happen.

use crate::admin::{get, started};
use crate::running::{Gateway, PATIENCE};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Somebody who looks on; ends when it is dropped.
struct Viewer {
    process: Child,
    lines: Receiver<String>,
}

impl Viewer {
    /// Looks on until it can be sure to see what happens from now on.
    fn start(gateway: &Gateway, words: &[&str]) -> Viewer {
        let mut process = gateway
            .command(&[&["trace"], words].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let out: ChildStdout = process.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Viewer { process, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.next()).unwrap()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks again and again until the viewer has seen it: then it surely looks on.
fn until_seen(gateway: &Gateway, viewer: &Viewer) {
    let mut client = gateway.client();
    gateway.wait("the viewer looks on", || {
        client.ask(&json!({"op": "status"}));
        viewer.lines.try_recv().ok()
    });
}

/// Reads on until a line of which this holds.
fn find(viewer: &Viewer, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let line = viewer.json();
        if fits(&line) {
            return line;
        }
    }
}

#[test]
fn requests_logins_answers_and_events_are_seen_as_they_happen_and_secrets_are_not() {
    let gateway = Gateway::start("", "rogue", "");
    gateway.wait_until_ready();
    let viewer = Viewer::start(&gateway, &["--json"]);
    until_seen(&gateway, &viewer);
    let args = json!({"password": "hunter2", "deep": [{"apiToken": "hunter2"}], "n": 7});
    let mut client = gateway.client();
    client.ask(&json!({"op": "devices", "args": args, "id": "mine"}));
    let login = find(&viewer, |line| {
        line["what"] == "request" && line["op"] == "login"
    });
    assert_eq!(login["user"], "anna");
    let asked = find(&viewer, |line| {
        line["what"] == "request" && line["op"] == "devices"
    });
    assert_eq!(
        (&asked["frontend"], &asked["backend"]),
        (&json!("local"), &json!("back"))
    );
    assert_eq!(asked["reference"], "mine");
    assert!(
        asked["body"].as_str().unwrap().contains("\"n\":7"),
        "{asked}"
    );
    let answered = find(&viewer, |line| {
        line["what"] == "answer" && line["op"] == "devices"
    });
    assert_eq!(answered["request"], asked["request"]);
    assert_eq!(answered["outcome"], "ok");
    assert!(answered["backend_s"].as_f64().unwrap() > 0.0);
    for line in [login, asked, answered] {
        let line = line.to_string();
        assert!(
            !line.contains("hunter2") && !line.contains("s3cret"),
            "{line}"
        );
    }
    client.ask(&json!({"op": "eval", "args": {"code": "flood 1"}}));
    let event = find(&viewer, |line| line["what"] == "event");
    assert_eq!(
        (&event["op"], &event["backend"]),
        (&json!("log"), &json!("back"))
    );
}

#[test]
fn only_what_is_wanted_is_shown_in_a_form_for_people() {
    let gateway = Gateway::start("", "rogue", "");
    gateway.wait_until_ready();
    let events = Viewer::start(&gateway, &["--events", "--bodies", "0"]);
    let mut client = gateway.client();
    let line = gateway.wait("an event is seen", || {
        client.ask(&json!({"op": "eval", "args": {"code": "flood 1"}}));
        events.lines.try_recv().ok()
    });
    assert!(
        line.contains("log  event ← back") && !line.contains("number"),
        "{line}"
    );
    let requests = Viewer::start(&gateway, &["--op", "devices"]);
    let line = gateway.wait("a request is seen", || {
        client.ask(&json!({"op": "status"}));
        client.ask(&json!({"op": "devices"}));
        requests.lines.try_recv().ok()
    });
    assert!(line.contains(" anna  devices  local → back  "), "{line}");
    let line = requests.next();
    assert!(
        line.contains(" devices  local ← back  ok  ") && line.contains(" ms, backend "),
        "{line}"
    );
    let mut wrong = Viewer::start(&gateway, &["--backend", "nobody"]);
    assert_eq!(wrong.process.wait().unwrap().code(), Some(1));
}

#[test]
fn a_viewer_that_does_not_read_is_told_what_it_missed_and_harms_nobody() {
    let (gateway, at) = started("rogue", "");
    gateway.wait_until_ready();
    let mut process = gateway
        .command(&["trace", "--events", "--bodies", "65536"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut client = gateway.client();
    // More than pipe, socket and queue hold together, and nobody reads.
    gateway.wait("lines are left out", || {
        let flood = json!({"op": "eval", "args": {"code": "flood 1000"}});
        assert_eq!(client.ask(&flood), json!({"ok": null}));
        let (_, metrics) = get(&at, "/metrics");
        let none = metrics.contains("patchbay_trace_lines_dropped_total 0\n");
        (!none).then_some(())
    });
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let left_out = lines.find(|line| line.as_ref().unwrap().contains(" lines were left out"));
    assert!(left_out.is_some());
    let _ = process.kill();
    let _ = process.wait();
}

//! `patchbay client` through the gateway's socket, with a real NICOS behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Called, Local, PATIENCE, wait_until};
use serde_json::Value;

/// Runs for a while, and says where it is.
const LOOP: &str = "printinfo('begin')\nfor i in range(600):\n    sleep(0.05)\nprintinfo('end')\n";

/// Waits until a script runs; its id.
fn wait_for_running(local: &Local) -> String {
    wait_until("a script that runs", || {
        let status = ok(&local.client(&["--json", "status"]));
        let runs = status["run"] == "running";
        status["job"]["id"]
            .as_str()
            .filter(|_| runs)
            .map(String::from)
    })
}

fn ok(called: &Called) -> Value {
    called.records()[0]["ok"].clone()
}

#[test]
fn submit_shows_what_the_script_prints_and_its_status_says_how_it_ended() {
    let local = Local::start();
    local.write(
        "good.py",
        "for i in range(3):\n    printinfo('step %d' % i)\n",
    );
    local.write("bad.py", "printinfo('before')\nnope\n");
    let good = local.client(&["submit", "good.py"]).ended(0);
    assert_eq!(good.out, "step 0\nstep 1\nstep 2\n");
    assert!(good.err.contains("good.py succeeded after"), "{}", good.err);
    let bad = local.client(&["submit", "bad.py"]).ended(1);
    for text in ["before\n", "error: NameError", "File \"<script>\", line 2"] {
        assert!(bad.out.contains(text), "{text} in {}", bad.out);
    }
    assert!(bad.err.contains("bad.py failed"), "{}", bad.err);
    let status = local.client(&["status"]).ended(0);
    assert!(status.out.contains("last: bad.py failed"), "{}", status.out);
}

#[test]
fn everything_in_json_can_be_read_by_a_program() {
    let local = Local::start();
    local.write("scan.py", "printinfo('µ')\n");
    let records = local
        .client(&["--json", "submit", "scan.py"])
        .ended(0)
        .records();
    let job = &records[0]["ok"]["job"];
    let last = &records[records.len() - 1]["outcome"];
    assert_eq!((&last["job"], &last["state"]), (job, &"succeeded".into()));
    let texts = records.iter().filter(|record| record["log"]["text"] == "µ");
    assert_eq!(texts.count(), 1, "{records:?}");
    for words in [
        &["status"][..],
        &["queue"],
        &["log"],
        &["devices"],
        &["eval", "6 * 7"],
        &["call", "capabilities"],
        &["pause"],
        &["eval", "nope"],
    ] {
        let called = local.client(&[&["--json"], words].concat());
        assert!(!called.records().is_empty(), "{words:?}: {called:?}");
    }
    assert_eq!(ok(&local.client(&["--json", "eval", "6 * 7"]))["value"], 42);
    let nope = local.client(&["--json", "eval", "nope"]).ended(1);
    assert!(
        nope.records()[0]["error"]["message"]
            .to_string()
            .contains("nope")
    );
}

#[test]
fn queued_scripts_are_listed_moved_edited_and_removed() {
    let local = Local::start();
    let text = |end| format!("for i in range(100):\n    sleep(0.05)\nprintinfo('{end}')\n");
    local.write("loop.py", &text("end"));
    local.write("other.py", &text("another end"));
    local.write("new.py", "printinfo('edited')\n");
    let queue = |name| {
        let words = ["submit", "--queue", "--name", name, "loop.py"];
        let id = local.client(&words).ended(0).out;
        id.trim().to_owned()
    };
    let ids = ["one", "two", "three"].map(queue);
    assert_eq!(wait_for_running(&local), ids[0]);
    local.client(&["pause"]).ended(0);
    local.client(&["queue", "move", &ids[2], "1"]).ended(0);
    let list = local.client(&["queue"]).ended(0).out;
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2));
    assert_eq!(names.collect::<Vec<_>>(), ["three", "two"], "{list}");
    local.client(&["queue", "remove", &ids[1]]).ended(0);
    local.client(&["edit", &ids[2], "new.py"]).ended(0);
    local.client(&["edit", "running", "other.py"]).ended(0);
    let [first, last] = [&ids[0], &ids[2]].map(|id| local.call(&["watch", id]));
    local.client(&["resume"]).ended(0);
    assert!(first.end().ended(0).out.contains("another end"));
    assert!(last.end().ended(0).out.contains("edited"));
}

#[test]
fn a_script_is_paused_resumed_and_stopped_from_elsewhere() {
    let local = Local::start();
    local.write("loop.py", LOOP);
    let script = local.call(&["submit", "loop.py"]);
    wait_for_running(&local);
    local.client(&["pause"]).ended(0);
    wait_until("a paused script", || {
        let status = local.client(&["status"]).out;
        status.starts_with("paused").then_some(())
    });
    local.client(&["resume"]).ended(0);
    wait_for_running(&local);
    local.client(&["stop"]).ended(0);
    let script = script.end().ended(4);
    assert!(script.err.contains("loop.py was stopped"), "{}", script.err);
}

#[test]
fn an_emergency_stop_ends_it_too() {
    let local = Local::start();
    local.write("loop.py", LOOP);
    let script = local.call(&["submit", "loop.py"]);
    wait_for_running(&local);
    local.client(&["emergency"]).ended(0);
    script.end().ended(4);
}

#[test]
fn whoever_follows_the_log_sees_what_others_do() {
    let local = Local::start();
    local.client(&["exec", "printinfo('earlier')"]).ended(0);
    let log = local.call(&["--json", "log", "-f", "-n", "100"]);
    // It is not known when it has subscribed; what it missed it has looked up.
    local.write("scan.py", "printinfo('by a script')\n");
    local.client(&["submit", "scan.py"]).ended(0);
    local.client(&["exec", "printinfo('later')"]).ended(0);
    log.shows("later");
    log.interrupt();
    let records = log.end().ended(130).records();
    for text in ["earlier", "by a script", "later"] {
        let found = records
            .iter()
            .filter(|record| record["log"]["text"] == text);
        assert_eq!(found.count(), 1, "{text} in {records:?}");
    }
}

#[test]
fn a_script_that_asks_is_answered_from_elsewhere() {
    let local = Local::start();
    local.write(
        "ask.py",
        "x = userinput('Angle?')\nprintinfo('got %s' % x)\n",
    );
    let script = local.call(&["submit", "ask.py"]);
    let mut seen = String::new();
    let begun = std::time::Instant::now();
    while !seen.contains("asks: Angle?") {
        assert!(begun.elapsed() < PATIENCE, "it does not ask: {seen}");
        seen = local.client(&["status"]).out;
    }
    local.client(&["answer", "3.5"]).ended(0);
    let script = script.end().ended(0);
    assert!(script.out.contains("got 3.5"), "{}", script.out);
    assert!(
        script.err.contains("the script asks: Angle?"),
        "{}",
        script.err
    );
}

#[test]
fn wrong_passwords_and_missing_rights_are_told_apart() {
    let local = Local::start();
    local.write("password", "not it\n");
    let wrong = local.client(&["status"]).ended(3);
    assert!(wrong.err.contains("user is not let in"), "{}", wrong.err);
    let guest = ["--user", "guest", "exec", "printinfo('no')"];
    let guest = local.client(&guest).ended(1);
    assert!(
        guest.err.contains("log in as somebody who may"),
        "{}",
        guest.err
    );
}

#[test]
fn the_unix_socket_is_as_good() {
    let local = Local::start();
    let address = local.unix_address();
    let called = local.client_at(&address, &["eval", "6 * 7"]).ended(0);
    assert_eq!(called.out, "42\n");
}

/// The daemon goes on with the script, and the restarted gateway finds it there.
#[test]
fn a_gateway_that_is_killed_during_a_submit_costs_no_line_and_no_outcome() {
    let mut local = Local::start();
    let code = "for i in range(60):\n    printinfo('step %d' % i)\n    sleep(0.1)\n";
    local.write("scan.py", code);
    let script = local.call(&["submit", "scan.py"]);
    wait_for_running(&local);
    local.gateway.kill9();
    local.gateway.restart().unwrap();
    let script = script.end().ended(0);
    let steps: Vec<String> = (0..60).map(|step| format!("step {step}")).collect();
    let shown: Vec<_> = script
        .out
        .lines()
        .filter(|line| line.starts_with("step"))
        .collect();
    assert_eq!(shown, steps);
    assert!(script.err.contains("connected again"), "{}", script.err);
}

/// The daemon is stopped by a signal, so that the submit is under way when the gateway is killed.
#[test]
fn a_gateway_that_is_killed_before_its_answer_runs_the_script_once_at_the_most() {
    let mut local = Local::start();
    local.write("once.py", "printinfo('ran ' + 'once')\n");
    let daemon = local.nicos.pid();
    local.client(&["status"]).ended(0);
    signal("-STOP", daemon);
    let script = local.call(&["submit", "once.py", "--patience", "30"]);
    // Nobody can tell that it has been sent; either way it is right.
    std::thread::sleep(std::time::Duration::from_secs(1));
    local.gateway.kill9();
    signal("-CONT", daemon);
    local.gateway.restart().unwrap();
    let script = script.end();
    let ran = local
        .client(&["log", "-n", "100"])
        .out
        .matches("ran once")
        .count();
    // It may have ended before the restarted gateway could see how, or not have been sent at all.
    match script.status {
        Some(0) => assert_eq!(ran, 1, "{script:?}"),
        status => assert!(ran <= 1 && status == Some(5), "{ran}: {script:?}"),
    }
}

#[test]
fn a_gateway_that_stays_away_leaves_the_outcome_unknown() {
    let mut local = Local::start();
    local.write("loop.py", LOOP);
    let script = local.call(&["submit", "loop.py", "--patience", "2"]);
    let id = wait_for_running(&local);
    local.gateway.stop();
    let script = script.end().ended(5);
    assert!(
        script.err.contains("it is not known how loop.py has ended"),
        "{}",
        script.err
    );
    assert!(
        script.err.contains(&format!("patchbay client watch {id}")),
        "{}",
        script.err
    );
    local.client(&["status"]).ended(3);
}

#[test]
fn a_daemon_that_restarts_loses_the_script_and_that_is_said() {
    let mut local = Local::start();
    local.write("loop.py", LOOP);
    let script = local.call(&["submit", "loop.py"]);
    wait_for_running(&local);
    local.nicos.kill9();
    local.nicos.restart().unwrap();
    let script = script.end().ended(5);
    assert!(script.err.contains("loop.py was lost"), "{}", script.err);
}

fn signal(signal: &str, pid: u32) {
    let sent = std::process::Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

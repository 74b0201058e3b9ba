//! An instance in a process of its own can end that, and nothing else.

use crate::client::Client;
use crate::crowd::Crowd;
use crate::gateway::{Gateway, isolated, rogue_door};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

const QUICK: &str = "restart_max = 100\nhang_s = 3\nshutdown_deadline_s = 3";

/// What ends the process, and what is said of it.
const ENDS: &[(&str, &str)] = &[
    ("end abort", "its process was ended by signal 6 (SIGABRT)"),
    (
        "end segfault",
        "its process was ended by signal 11 (SIGSEGV)",
    ),
    (
        "end overflow",
        "its process was ended by signal 6 (SIGABRT)",
    ),
    (
        "end exit",
        "its process has exited by itself, with status 3",
    ),
];

fn pid(instance: &Value) -> Pid {
    let number = instance["process"].as_u64().expect("a process of its own");
    Pid::from_raw(number.try_into().unwrap()).unwrap()
}

fn wait_until_gone(process: Pid) {
    crate::wait("the process is gone", || {
        test_kill_process(process).is_err().then_some(())
    });
}

fn runs(failures: u64) -> impl Fn(&Value) -> bool {
    move |rogue| rogue["phase"] == "running" && rogue["failures"] == failures
}

#[test]
fn whatever_ends_its_process_costs_one_restart_and_the_requests_under_way() {
    let (gateway, crowd) = Gateway::crowded(QUICK, &isolated(""));
    let (mut victim, mut other) = (gateway.victim(), gateway.victim());
    for (round, (deed, reason)) in (1..).zip(ENDS) {
        let before = pid(&gateway.instance("rogue").unwrap());
        other.send(&json!({"op": "eval", "args": {"code": "hang"}}));
        // What was sent may have been done.
        let answer = victim.eval(deed);
        assert_eq!(
            answer["error"]["kind"], "unknown-outcome",
            "{deed}: {answer}"
        );
        assert_eq!(other.line()["error"]["kind"], "unknown-outcome", "{deed}");

        let rogue = gateway.wait_for("rogue", runs(round));
        assert_eq!(rogue["threads_abandoned"], 0, "{deed}");
        assert_ne!(pid(&rogue), before, "{deed}");
        wait_until_gone(before);
        for client in [&mut victim, &mut other] {
            let asked = json!({ "after": deed, "fresh": true });
            let right = json!({ "ok": { "after": deed } });
            assert_eq!(client.ask("status", asked), right);
        }
        crowd.goes_on();
        assert!(gateway.log().contains(reason), "{deed}: {}", gateway.log());
    }
    crowd.disperse();
    gateway.end().was(0, &["rogue.failures"]);
}

#[test]
fn who_ends_the_process_at_each_start_is_quarantined_and_the_gateway_says_why() {
    let gateway = Gateway::start("restart_max = 2", &isolated("start = \"abort\""));
    let crowd = Crowd::gather(&gateway.good());
    let rogue = gateway.wait_for("rogue", |rogue| rogue["phase"] == "quarantined");
    let said = rogue["reason"].as_str().unwrap();
    assert!(said.contains("SIGABRT"), "{said}");
    assert_eq!(
        (&rogue["failures"], &rogue["process"]),
        (&json!(3), &Value::Null)
    );
    crowd.goes_on();
    crowd.disperse();
    gateway.end().was(0, &["rogue.failures"]);
}

#[test]
fn a_frontend_that_ends_its_process_costs_its_own_clients_only() {
    for (deed, reason) in [
        ("abort", "signal 6 (SIGABRT)"),
        ("exit", "exited by itself, with status 0"),
    ] {
        let does = isolated(&rogue_door(&format!("then = \"{deed}\"")));
        let (gateway, crowd) = Gateway::crowded("restart_max = 2", &does);
        let door = gateway.wait_for("door", |door| door["phase"] == "quarantined");
        let said = door["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{deed}: {said}");
        assert_eq!(door["failures"], 3, "{deed}");
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(0, &["door.failures"]);
    }
}

#[test]
fn a_frontend_that_hoards_or_floods_in_a_process_of_its_own_leaves_the_rest_to_others() {
    let limits = "max_sessions = 20\nmax_in_flight = 100\nmax_in_flight_per_session = 100";
    for (deed, sessions) in [("hoard", 15), ("flood", 4)] {
        let does = isolated(&rogue_door(&format!("then = \"{deed}\"")));
        let (gateway, crowd) = Gateway::crowded(limits, &does);
        gateway.wait_for("door", |door| door["sessions"] == sessions);
        crowd.goes_on();
        let newcomer = Client::login(&gateway.good(), "bob");
        crowd.goes_on();
        drop(newcomer);
        crowd.disperse();
        assert!(runs(0)(&gateway.instance("door").unwrap()));
        gateway.end().was(0, &[]);
    }
}

#[test]
fn who_hangs_is_killed_and_leaves_no_thread_behind() {
    let (gateway, crowd) = Gateway::crowded(QUICK, &isolated(""));
    let before = pid(&gateway.instance("rogue").unwrap());
    let answer = gateway.victim().eval("block 3600000");
    assert_eq!(answer["error"]["kind"], "unknown-outcome", "{answer}");
    let rogue = gateway.wait_for("rogue", runs(1));
    assert_eq!(rogue["threads_abandoned"], 0);
    wait_until_gone(before);

    // Nor does one whose whole process stands still.
    let before = pid(&rogue);
    kill_process(before, Signal::STOP).unwrap();
    let rogue = gateway.wait_for("rogue", runs(2));
    assert_eq!(rogue["threads_abandoned"], 0);
    wait_until_gone(before);
    crowd.goes_on();
    crowd.disperse();
    gateway.end().was(0, &["rogue.failures"]);
}

#[test]
fn who_does_not_end_is_killed_at_the_deadline() {
    for (stop, exit) in [("hang", 4), ("block", 4), ("abort", 4), ("well", 0)] {
        let does = isolated(&format!("stop = \"{stop}\""));
        let (gateway, crowd) = Gateway::crowded(QUICK, &does);
        let process = pid(&gateway.instance("rogue").unwrap());
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(exit, &[]);
        wait_until_gone(process);
    }
}

#[test]
fn it_dies_with_the_gateway_also_if_it_hangs() {
    for deed in ["sleep 0", "block 3600000"] {
        let (gateway, crowd) = Gateway::crowded(QUICK, &isolated(""));
        let process = pid(&gateway.instance("rogue").unwrap());
        let mut victim = gateway.victim();
        victim.send(&json!({"op": "eval", "args": {"code": deed}}));
        crowd.disperse();
        gateway.kill();
        wait_until_gone(process);
    }
}

#[test]
fn signals_that_are_meant_for_the_gateway_do_not_end_it() {
    let (gateway, crowd) = Gateway::crowded(QUICK, &isolated(""));
    let process = pid(&gateway.instance("rogue").unwrap());
    let mut victim = gateway.victim();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        kill_process(process, signal).unwrap();
        assert_eq!(victim.eval("sleep 10")["ok"], Value::Null);
    }
    let rogue = gateway.instance("rogue").unwrap();
    assert!(runs(0)(&rogue) && pid(&rogue) == process, "{rogue}");
    crowd.disperse();
    gateway.end().was(0, &[]);
}

#[test]
fn what_it_leaks_is_seen_in_the_size_of_its_own_process() {
    let (gateway, crowd) = Gateway::crowded("", &isolated(""));
    let size = || gateway.instance("rogue").unwrap()["memory_bytes"].as_u64();
    let of_host = || {
        gateway.status().unwrap()["memory_bytes"]
            .as_u64()
            .unwrap_or(0)
    };
    let Some((before, host)) = size().map(|size| (size, of_host())) else {
        // Not every system tells.
        return;
    };
    let leak = 64_000_000;
    gateway.victim().eval(&format!("leak {leak}"));
    assert!(size().unwrap() >= before + leak, "{before}, {:?}", size());
    assert!(of_host() < host + leak, "{host}, {}", of_host());
    crowd.disperse();
    gateway.end().was(0, &[]);
}

#[test]
fn a_restart_lets_another_process_take_over_and_clients_notice_nothing() {
    let (gateway, crowd) = Gateway::crowded(QUICK, &isolated(""));
    let before = pid(&gateway.instance("rogue").unwrap());
    let mut victim = gateway.victim();
    victim.send(&json!({"op": "eval", "args": {"code": "sleep 1000"}}));
    assert!(gateway.say(&["restart", "rogue"]).status.success());
    // What was under way has finished in the former one.
    assert_eq!(victim.line()["ok"], Value::Null);
    assert_eq!(
        victim.ask("status", json!({ "fresh": true }))["ok"],
        json!({})
    );
    let rogue = gateway.instance("rogue").unwrap();
    assert!(runs(0)(&rogue) && pid(&rogue) != before, "{rogue}");
    wait_until_gone(before);
    crowd.disperse();
    gateway.end().was(0, &[]);
}

//! What goes wrong in an instance's life: it is given up, started anew, and quarantined when that does not help.

use crate::client::Client;
use crate::crowd::Crowd;
use crate::gateway::Gateway;
use serde_json::{Value, json};

const QUICK: &str = "start_deadline_s = 1\nrestart_max = 2\nmax_abandoned = 2";

/// How it starts, what is said of it then, which threads it leaves behind, how the gateway ends.
type Row = (&'static str, &'static str, u64, i32);

#[test]
fn an_instance_that_does_not_start_is_quarantined_and_says_why() {
    let rows: [Row; 4] = [
        ("panic", "panicked in start: start panics on request", 0, 0),
        ("fail", "start fails on request", 0, 0),
        ("hang", "did not start within 1 s (start_deadline_s)", 0, 0),
        ("block", "did not start within 1 s (start_deadline_s)", 2, 4),
    ];
    for (start, reason, abandoned, exit) in rows {
        let gateway = Gateway::start(QUICK, &format!("start = \"{start}\""));
        let crowd = Crowd::gather(&gateway.good());
        let answer = Client::connect(&gateway.bad()).try_login("admin");
        let (kind, said) = (&answer["error"]["kind"], answer.to_string());
        assert_eq!(kind, "unavailable", "{start}: {answer}");
        assert!(
            said.contains("`rogue`") || said.contains("has not started"),
            "{said}"
        );

        let rogue = gateway.wait_for("rogue", |rogue| rogue["phase"] == "quarantined");
        let said = rogue["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{start}: {said}");
        assert_eq!(rogue["threads_abandoned"], abandoned, "{start}");
        // Twice started anew in vain, or given up as soon as two threads hang.
        assert_eq!(
            rogue["failures"],
            if abandoned > 0 { 2 } else { 3 },
            "{start}"
        );
        crowd.goes_on();
        crowd.disperse();
        let end = gateway.end();
        end.was(exit, &["rogue.failures"]);
        assert_eq!(
            end.log.contains("and is left behind"),
            abandoned > 0,
            "{start}"
        );
    }
}

#[test]
fn a_login_that_goes_wrong_is_answered_and_the_instance_serves_on() {
    let rows = [
        (
            "panic",
            "internal",
            "panicked in login: login panics on request",
        ),
        ("fail", "unavailable", "login fails on request"),
        (
            "hang",
            "timeout",
            "`rogue` did not answer the login within 3 s",
        ),
    ];
    for (login, kind, reason) in rows {
        let (gateway, crowd) =
            Gateway::crowded("login_deadline_s = 3", &format!("login = \"{login}\""));
        let answer = Client::connect(&gateway.bad()).try_login("admin");
        assert_eq!(answer["error"]["kind"], kind, "{answer}");
        assert!(answer.to_string().contains(reason), "{answer}");
        assert_eq!(gateway.instance("rogue").unwrap()["phase"], "running");
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(0, &["host.logins_refused"]);
    }
}

#[test]
fn an_instance_that_gives_up_is_started_anew_and_its_clients_stay() {
    for (deed, reason) in [
        ("fail", "the instance fails on request"),
        ("say stopped", "it stopped by itself"),
    ] {
        let (gateway, crowd) = Gateway::crowded("restart_max = 100", "");
        let mut victim = gateway.victim();
        victim.eval(deed);
        let rogue = gateway.wait_for("rogue", |rogue| {
            rogue["failures"] == 1 && rogue["phase"] == "running"
        });
        assert_eq!(rogue["threads_abandoned"], 0);
        assert_eq!(
            victim.ask("status", json!({ "n": 1, "fresh": true })),
            json!({ "ok": { "n": 1 } })
        );
        crowd.goes_on();
        crowd.disperse();
        let end = gateway.end();
        end.was(0, &["rogue.failures"]);
        assert!(end.log.contains(reason));
    }
}

#[test]
fn an_instance_that_does_not_end_is_cut_off_at_the_deadline_and_the_exit_status_says_so() {
    for (stop, exit) in [("panic", 0), ("hang", 4), ("block", 4)] {
        let (gateway, crowd) =
            Gateway::crowded("shutdown_deadline_s = 2", &format!("stop = \"{stop}\""));
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(exit, &[]);
    }
}

#[test]
fn a_restart_does_not_wait_for_ever_for_the_life_before() {
    for (stop, abandoned) in [("hang", 0), ("block", 1)] {
        let (gateway, crowd) =
            Gateway::crowded("shutdown_deadline_s = 2", &format!("stop = \"{stop}\""));
        let mut victim = gateway.victim();
        assert!(gateway.say(&["restart", "rogue"]).status.success());
        // The next life serves already; the one before has ended when it is said that it was cut off.
        crate::wait("it is cut off", || {
            gateway.log().contains("was cut off").then_some(())
        });
        let rogue = gateway.wait_for("rogue", |rogue| rogue["threads_abandoned"] == abandoned);
        assert_eq!(rogue["phase"], "running", "{stop}");
        assert_eq!(rogue["failures"], 0);
        assert_eq!(
            victim.ask("status", json!({ "fresh": true }))["ok"],
            json!({})
        );
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(4, &[]);
    }
}

#[test]
fn who_is_quarantined_can_be_started_anew_by_hand() {
    let gateway = Gateway::start(QUICK, "start = \"fail\"");
    let quarantined = |rogue: &Value| rogue["phase"] == "quarantined";
    let before = gateway.wait_for("rogue", quarantined);
    let restart = gateway.say(&["restart", "rogue"]);
    let said = String::from_utf8(restart.stderr).unwrap();
    assert!(said.contains("start fails on request"), "{said}");
    let after = gateway.wait_for("rogue", |rogue| {
        quarantined(rogue) && rogue["failures"] != before["failures"]
    });
    // Its earlier failures are forgiven: it is tried as often as at first.
    assert_eq!(after["failures"], 6);
    gateway.end().was(0, &[]);
}

//! A frontend that does wrong, a loaded plugin this time, routed to the very backend that serves the crowd.

use crate::gateway::{Gateway, rogue_door};
use serde_json::Value;

const QUICK: &str = "hang_s = 3\nstart_deadline_s = 3\nrestart_max = 2\nshutdown_deadline_s = 4";

/// What the door does, what is said of it in the end, how often it has failed then, how the gateway ends.
type Row = (&'static str, &'static str, u64, i32);

#[test]
fn a_frontend_that_does_not_come_up_is_quarantined_and_says_why() {
    let rows: [Row; 5] = [
        (
            "start = \"panic\"",
            "panicked in run: start panics on request",
            3,
            0,
        ),
        ("start = \"fail\"", "start fails on request", 3, 0),
        ("start = \"hang\"", "did not start within 3 s", 3, 0),
        (
            "then = \"panic\"",
            "panicked in run: it panics on request",
            3,
            0,
        ),
        (
            "then = \"return\"",
            "ended without having been asked to",
            3,
            0,
        ),
    ];
    for (does, reason, failures, exit) in rows {
        let (gateway, crowd) = Gateway::crowded(QUICK, &rogue_door(does));
        let door = gateway.wait_for("door", |door| door["phase"] == "quarantined");
        let said = door["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{does}: {said}");
        assert_eq!(door["failures"], failures, "{does}");
        assert_eq!(door["threads_abandoned"], 0, "{does}");
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(exit, &["door.failures"]);
    }
}

#[test]
fn a_frontend_that_hangs_with_its_port_is_given_up_and_the_next_life_says_what_is_wrong() {
    // A port that nobody has, as far as anybody can know.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let does = format!("then = \"block\", listen = \"{address}\"");
    let (gateway, crowd) = Gateway::crowded(QUICK, &rogue_door(&does));
    let door = gateway.wait_for("door", |door| door["phase"] == "quarantined");
    let said = door["reason"].as_str().unwrap();
    assert!(said.contains("Address already in use"), "{said}");
    assert_eq!(door["threads_abandoned"], 1, "{door}");
    crowd.goes_on();
    crowd.disperse();
    let end = gateway.end();
    end.was(4, &["door.threads_abandoned"]);
    assert!(
        end.log
            .contains("it hangs: its thread has been blocked for 3 s")
    );
}

#[test]
fn a_frontend_that_does_not_end_is_cut_off() {
    for (stop, exit) in [("hang", 4), ("block", 4), ("panic", 4), ("well", 0)] {
        let (gateway, crowd) = Gateway::crowded(QUICK, &rogue_door(&format!("stop = \"{stop}\"")));
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(exit, &[]);
    }
}

#[test]
fn a_frontend_that_hoards_or_floods_leaves_the_rest_to_others() {
    let limits = "max_sessions = 20\nmax_in_flight = 100\nmax_in_flight_per_session = 100";
    for (deed, sessions) in [("hoard", 15), ("flood", 4)] {
        let (gateway, crowd) = Gateway::crowded(limits, &rogue_door(&format!("then = \"{deed}\"")));
        gateway.wait_for("door", |door| door["sessions"] == sessions);
        crowd.goes_on();
        // Others still get in, too.
        let newcomer = crate::client::Client::login(&gateway.good(), "bob");
        crowd.goes_on();
        drop(newcomer);
        crowd.disperse();
        let door: Value = gateway.instance("door").unwrap();
        assert_eq!(
            (&door["phase"], &door["failures"]),
            (&"running".into(), &0.into())
        );
        gateway.end().was(0, &[]);
    }
}

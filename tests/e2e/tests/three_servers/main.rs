//! Another script server behind the same clients: NICOS, an RE Manager and plain Python, real ones, exchanged while
//! everything runs. What differs is what their capabilities say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod alike;
mod load;
mod ops;
mod page;
mod visit;

use load::Load;
use patchbay_e2e::{FRONTENDS, SERVERS, Trio, wait_until};
use patchbay_servers::{Event, IbexWhat};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use visit::{Clients, IBEX};

/// One for all tests of this file that run at the same time; each waits for its turn. It ends with the last of them:
/// what an RE Manager has started would outlive us otherwise.
fn trio() -> Arc<Mutex<Trio>> {
    static TRIO: Mutex<Weak<Mutex<Trio>>> = Mutex::new(Weak::new());
    let mut shared = TRIO.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let trio = Arc::new(Mutex::new(Trio::start()));
        *shared = Arc::downgrade(&trio);
        trio
    })
}

/// This test's turn.
fn turn(trio: &Mutex<Trio>) -> MutexGuard<'_, Trio> {
    trio.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lead_to(trio: &Trio, server: &str) {
    for frontend in FRONTENDS {
        trio.route(frontend, server);
    }
}

#[test]
fn the_same_script_of_the_same_clients_runs_on_all_three_while_others_ask_all_the_time() {
    let trio = trio();
    let trio = turn(&trio);
    lead_to(&trio, "nicos");
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let mut clients = Clients::connect(&trio, &trace);
    let (seen, tally) = std::thread::scope(|scope| {
        let load = Load::start(scope, &trio, &trace);
        let before = sessions(&trio);
        load.reaches("nicos");
        let on_nicos = clients.visit("nicos");

        // At once, whatever is under way.
        lead_to(&trio, "queueserver");
        load.reaches("queueserver");
        let on_queueserver = clients.visit("queueserver");

        lead_to_when_idle(&mut clients, &load, "queueserver", "python");
        load.reaches("python");
        let on_python = clients.visit("python");

        // And back, where what ran before is known as it was.
        lead_to(&trio, "nicos");
        load.reaches("nicos");
        let job = clients.job(&on_nicos.job);
        assert_eq!(job["state"], "succeeded", "{job}");
        assert_eq!(sessions(&trio), before, "nobody left, and nobody came anew");
        ([on_nicos, on_queueserver, on_python], load.end())
    });
    alike::assert_alike(&seen);
    let mut marks = tally.marks;
    println!("{} requests, {} scripts", tally.answered, marks.len());
    marks.extend(SERVERS.map(str::to_owned));
    marks.push("the last one there".to_owned());
    assert_each_ran_once(&trace, &marks);
    assert_nothing_befell_jms_clients(&trio);
}

/// Who is logged in, and through what.
fn sessions(trio: &Trio) -> BTreeSet<String> {
    let said = trio.say(&["sessions", "--json"]);
    let said: Value = serde_json::from_str(&said).expect(&said);
    let sessions = said["sessions"].as_array().expect("sessions").iter();
    let name = |one: &Value| format!("{} {} {}", one["session"], one["user"], one["frontend"]);
    sessions.map(name).collect()
}

/// Nobody is led elsewhere before the script that runs has ended. Those that look go on looking.
fn lead_to_when_idle(clients: &mut Clients<'_>, load: &Load<'_>, from: &str, to: &str) {
    load.rest();
    let trio = clients.trio;
    let (job, gate) = clients.begin("the last one there");
    let mut switches = FRONTENDS.map(|frontend| trio.route_when_idle(frontend, to));
    wait_until("the switches are seen to wait for the script", || {
        let status = trio.say(&["status"]);
        let waiting = status.matches(&format!("→ {to} when idle")).count();
        let says = status.contains(&format!("`{from}` says `running`"));
        (waiting == FRONTENDS.len() && says).then_some(())
    });
    assert_eq!(clients.server(), from);
    std::fs::write(gate, "").unwrap();
    let states = clients.states(&job);
    assert_eq!(states.last().unwrap()["outcome"], "succeeded", "{states:?}");
    for switch in &mut switches {
        let status = wait_until("the switch", || switch.try_wait().unwrap());
        assert!(status.success());
    }
    assert_eq!(clients.server(), to);
    load.resume();
}

fn assert_each_ran_once(trace: &Path, marks: &[String]) {
    let ran = std::fs::read_to_string(trace).unwrap();
    let mut times = BTreeMap::new();
    for mark in ran.lines() {
        *times.entry(mark).or_insert(0) += 1;
    }
    let once = marks.iter().map(|mark| (mark.as_str(), 1)).collect();
    assert_eq!(times, once);
}

/// The client of 2017 has logged in once and sent three scripts; no client has lost its connection or got what it had
/// not asked for.
fn assert_nothing_befell_jms_clients(trio: &Trio) {
    let mut sent = BTreeMap::new();
    for event in trio.jms.unmatched() {
        match event {
            Event::Ibex(seen) if seen.client == IBEX && seen.what == IbexWhat::Sent => {
                *sent.entry(seen.request.unwrap()).or_insert(0) += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(json!(sent), json!({"authenticate": 1, "queue": 3}));
}

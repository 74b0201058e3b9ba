//! Only the gateway is restarted: the client of 2017 notices nothing, and never logs in again by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{PATIENCE, Site};
use patchbay_servers::{Connect, Event, IbexSees, IbexWhat};

fn sees(site: &Site, request: &str) -> IbexSees {
    let event = site.jms.event(PATIENCE, |event| {
        matches!(event, Event::Ibex(seen)
            if seen.what == IbexWhat::Answered && seen.request.as_deref() == Some(request))
    });
    match event.unwrap() {
        Some(Event::Ibex(seen)) => IbexSees::of_answer(&seen.text.unwrap()),
        _ => panic!("the IBEX client sees no answer to {request}"),
    }
}

/// What it shows of a script that it sends after the gateway was killed and started again.
fn after_a_restart(site: &mut Site) -> IbexSees {
    let connect = Connect::to(site.broker.openwire());
    site.jms.ibex("ibex", &connect).unwrap();
    assert_eq!(sees(site, "authenticate"), IbexSees::Accepted);
    site.gateway.kill9();
    site.gateway.restart().unwrap();
    site.jms
        .ibex_script("ibex", "ScriptFromGUI", "print('after the restart')")
        .unwrap();
    sees(site, "queue")
}

#[test]
fn without_a_default_login_the_person_is_asked_to_reconnect() {
    match after_a_restart(&mut Site::start()) {
        IbexSees::Refused(text) => assert!(text.contains("reconnect"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_a_default_login_its_script_runs() {
    let login = r#"default_login = { user = "admin", secret = { file = "@DIR@/nicos-admin" } }"#;
    let mut site = Site::start_with(login);
    assert_eq!(after_a_restart(&mut site), IbexSees::Accepted);
    let witness = site.login("witness");
    patchbay_e2e::wait_until("the script's output", || {
        let asked = serde_json::json!({ "command": "getmessages", "n": 50 });
        let messages = witness.nicos(&asked).to_string();
        messages.contains("after the restart").then_some(())
    });
}

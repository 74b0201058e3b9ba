//! The stand-in for the IBEX client of 2017.
// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use patchbay_servers::{
    ActiveMq, Connect, Event, IBEX_PASSWORD, IbexEvent, IbexSees, IbexWhat, Jms, Message, to_stderr,
};

const PATIENCE: Duration = Duration::from_secs(30);

fn ibex_event(jms: &Jms, what: IbexWhat) -> IbexEvent {
    let wanted = |event: &Event| matches!(event, Event::Ibex(event) if event.what == what);
    match jms.event(PATIENCE, wanted).unwrap() {
        Some(Event::Ibex(event)) => event,
        other => panic!("no {what:?}: {other:?}"),
    }
}

#[test]
fn it_authenticates_by_itself_and_sends_scripts() {
    let broker = ActiveMq::options().users(true).start(&to_stderr).unwrap();
    let jms = Jms::start(&to_stderr).unwrap();
    let connect = Connect::to(broker.openwire()).login("ibex", "ibex");
    jms.open("server", &connect).unwrap();
    jms.listen("server", "ss_admin").unwrap();
    jms.ibex("gui", &connect).unwrap();

    assert_eq!(
        ibex_event(&jms, IbexWhat::Sent).request.as_deref(),
        Some("authenticate")
    );
    let login = jms.receive(PATIENCE, |_| true).unwrap().unwrap();
    assert_eq!(
        login.text.as_deref(),
        Some(format!(
            r#"{{"command":"authenticate","login":"ibex","passwd":"{IBEX_PASSWORD}","display":"TEST"}}"#
        ))
        .as_deref()
    );
    jms.ibex_script("gui", "Script", "print('<a>')\n").unwrap();
    let script = jms.receive(PATIENCE, |_| true).unwrap().unwrap();
    assert_eq!(
        script.text.as_deref(),
        Some(
            r#"{"command":"queue","name":"Script","code":"print(\u0027\u003ca\u003e\u0027)\u000a"}"#
        )
    );
    assert!(!script.persistent);
}

#[test]
fn it_comes_back_after_the_broker_was_away() {
    let mut broker = ActiveMq::start(&to_stderr).unwrap();
    let jms = Jms::start(&to_stderr).unwrap();
    let connect = Connect::to(broker.openwire());
    jms.ibex("gui", &connect).unwrap();
    ibex_event(&jms, IbexWhat::Sent);
    broker.kill9();
    ibex_event(&jms, IbexWhat::Unconnected);
    broker.restart().unwrap();
    assert_eq!(
        ibex_event(&jms, IbexWhat::Sent).request.as_deref(),
        Some("authenticate")
    );
}

#[test]
fn bytes_make_it_deaf() {
    let broker = ActiveMq::start(&to_stderr).unwrap();
    let jms = Jms::start(&to_stderr).unwrap();
    let connect = Connect::to(broker.openwire());
    jms.ibex("gui", &connect).unwrap();
    jms.open("server", &connect).unwrap();
    jms.listen("server", "ss_admin").unwrap();
    let login = jms.receive(PATIENCE, |_| true).unwrap().unwrap();
    let queue = login.reply_to.expect("a temporary queue");
    let bytes = Message::bytes(b"{}")
        .correlation(&login.correlation.unwrap())
        .to(&queue);
    jms.send_message("server", &bytes).unwrap();
    assert!(
        ibex_event(&jms, IbexWhat::Deaf)
            .text
            .unwrap()
            .contains("ClassCastException")
    );
}

#[test]
fn it_takes_only_the_answer_to_its_own_request() {
    let broker = ActiveMq::start(&to_stderr).unwrap();
    let jms = Jms::start(&to_stderr).unwrap();
    let connect = Connect::to(broker.openwire());
    jms.open("server", &connect).unwrap();
    jms.listen("server", "ss_admin").unwrap();
    jms.ibex("gui", &connect).unwrap();
    let login = jms.receive(PATIENCE, |_| true).unwrap().unwrap();
    ibex_event(&jms, IbexWhat::Sent);
    let (queue, id) = (login.reply_to.unwrap(), login.correlation.unwrap());
    let answer = |id: &str, text: &str| {
        jms.send_message("server", &Message::text(text).correlation(id).to(&queue))
    };
    answer("another", "{}").unwrap();
    ibex_event(&jms, IbexWhat::Ignored);
    answer(&id, r#"{"success":true,"payload":null}"#).unwrap();
    let taken = ibex_event(&jms, IbexWhat::Answered);
    assert_eq!(taken.request.as_deref(), Some("authenticate"));
    assert_eq!(
        IbexSees::of_answer(&taken.text.unwrap()),
        IbexSees::Accepted
    );
    answer(&id, "{}").unwrap();
    ibex_event(&jms, IbexWhat::Ignored);
}

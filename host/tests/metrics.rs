//! What the metrics say of what has happened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{End, office};
use patchbay::broker::Broker;
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use std::time::{Duration, Instant};

fn text(broker: &Broker) -> String {
    broker
        .metrics()
        .text(|stock| broker.take_stock(stock))
        .unwrap()
}

/// The value of the line that begins so; 0 if there is none.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

fn logged_in(backend: &End, frontend: &End, role: &str) -> u64 {
    frontend.login(1);
    let session = backend.grant(role);
    frontend.inbox.next();
    session
}

fn reply(backend: &End, fault: Option<Fault>) {
    let asked = backend.inbox.next();
    let head = head::Reply {
        fault,
        ..head::Reply::default()
    };
    let reply = Message::new(Kind::REPLY, asked.id, &head).body("{}".to_owned());
    backend.host.deliver(reply);
}

#[test]
fn every_request_is_counted_with_its_outcome() {
    let (broker, backend, frontend) = office();
    let session = logged_in(&backend, &frontend, "view");
    frontend.call(2, session, "devices");
    reply(&backend, None);
    frontend.call(3, session, "devices");
    reply(&backend, Some(Fault::new(FaultKind::NotFound, "no")));
    // The second one is answered by the host.
    frontend.call(8, session, "status");
    reply(&backend, None);
    frontend.call(9, session, "status");
    frontend.call(4, session, "eval");
    frontend.call(5, session, "no-such-thing");
    frontend.call(6, session, "devices");
    frontend.host.deliver(Message::bare(Kind::CANCEL, 6));
    frontend.call(7, session, "devices");
    let text = text(&broker);
    let count = |op: &str, outcome: &str| {
        let ends = r#"frontend="front",backend="back""#;
        let series = format!(r#"patchbay_requests_total{{op="{op}",{ends},outcome="{outcome}"}}"#);
        value(&text, &series)
    };
    assert_eq!(count("login", "ok"), 1.0, "{text}");
    assert_eq!(count("devices", "ok"), 1.0, "{text}");
    assert_eq!(count("devices", "not-found"), 1.0);
    assert_eq!(count("devices", "cancelled"), 1.0);
    assert_eq!(count("status", "ok"), 2.0);
    assert_eq!(count("eval", "forbidden"), 1.0);
    assert_eq!(count("unknown", "unsupported"), 1.0);
    assert_eq!(count("devices", "timeout"), 0.0);
    assert_eq!(
        value(&text, "patchbay_snapshot_answers_total"),
        1.0,
        "the second status is a look at what is kept"
    );
    assert_eq!(
        value(&text, r#"patchbay_requests_pending{backend="back"}"#),
        1.0
    );
    assert_eq!(value(&text, r#"patchbay_sessions{frontend="front"}"#), 1.0);
    let asked = value(
        &text,
        r#"patchbay_request_bytes_total{frontend="front",backend="back"}"#,
    );
    assert!(asked > 100.0, "{asked}");
}

#[test]
fn a_requests_time_is_split_where_it_was_spent() {
    let (broker, backend, frontend) = office();
    let session = logged_in(&backend, &frontend, "view");
    frontend.call(2, session, "status");
    let asked = Instant::now();
    std::thread::sleep(Duration::from_millis(5));
    let at_least = asked.elapsed().as_secs_f64();
    reply(&backend, None);
    frontend.call(3, 999, "status");
    let measured = head::Metric {
        counter: "answer_taken_seconds".into(),
        seconds: vec![0.5, -1.0],
        ..head::Metric::default()
    };
    frontend.say(Kind::METRIC, 0, &measured);
    let text = text(&broker);
    let of = |what: &str| {
        let labels = r#"{class="look",frontend="front",backend="back"}"#;
        value(&text, &format!("patchbay_request_{what}{labels}"))
    };
    assert!(of("backend_seconds_sum") >= at_least, "{text}");
    assert_eq!(
        of("backend_seconds_count"),
        1.0,
        "the second never got there"
    );
    assert_eq!(of("host_seconds_count"), 2.0);
    assert!(of("host_seconds_sum") > 0.0);
    let taken = r#"patchbay_request_frontend_seconds_sum{frontend="front"}"#;
    assert_eq!(value(&text, taken), 0.5, "{text}");
}

#[test]
fn limits_that_are_hit_are_named() {
    let (broker, backend, frontend) = office();
    let session = logged_in(&backend, &frontend, "admin");
    (2..7).for_each(|id| frontend.call(id, session, "status"));
    let head = head::Call {
        session,
        op: "status".into(),
        deadline_ms: 0,
        urgent: false,
        key: None,
        asker: None,
        reference: None,
    };
    let large = format!("\"{}\"", "x".repeat(200_001));
    let message = Message::new(Kind::CALL, 8, &head).body(large);
    frontend.host.deliver(message);
    let text = text(&broker);
    let hit = |limit: &str| {
        value(
            &text,
            &format!(r#"patchbay_limits_hit_total{{limit="{limit}"}}"#),
        )
    };
    assert_eq!(hit("max_in_flight"), 1.0, "{text}");
    assert_eq!(hit("max_body_bytes"), 1.0);
    assert_eq!(hit("max_sessions"), 0.0);
}

#[test]
fn events_are_counted_and_so_is_who_misses_some() {
    let (broker, backend, frontend) = office();
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    (0..100).for_each(|number| backend.emit(number, 2000));
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    assert_eq!(frontend.inbox.event().0, "gap");
    let text = text(&broker);
    assert_eq!(
        value(&text, r#"patchbay_events_total{backend="back"}"#),
        100.0
    );
    assert!(value(&text, r#"patchbay_event_bytes_total{backend="back"}"#) > 200_000.0);
    assert_eq!(
        value(&text, r#"patchbay_event_gaps_total{frontend="front"}"#),
        1.0
    );
    let kept = value(&text, r#"patchbay_journal_bytes{backend="back"}"#);
    assert!((10_000.0..=65_536.0).contains(&kept), "{kept}");
}

#[test]
fn an_instance_is_up_when_it_serves_and_says_so() {
    let (broker, backend, _frontend) = office();
    let up = || {
        let text = text(&broker);
        let line = text
            .lines()
            .find(|line| line.starts_with(r#"patchbay_instance_up{instance="back""#));
        line.unwrap().ends_with(" 1")
    };
    assert!(!up());
    broker.seats()[ends::BACKEND].enters(patchbay::broker::Phase::Running, "");
    assert!(up());
    let down = head::Health {
        state: "down".into(),
        reason: "no server".into(),
    };
    backend.say(Kind::HEALTH, 0, &down);
    assert!(!up());
    backend.say(Kind::METRIC, 0, &head::Metric::level("memory_bytes", 77));
    backend.say(Kind::METRIC, 0, &head::Metric::counted("panics", 2));
    let text = text(&broker);
    let gauge = r#"patchbay_plugin_gauge{instance="back",name="memory_bytes"}"#;
    assert_eq!(value(&text, gauge), 77.0);
    assert_eq!(
        value(&text, r#"patchbay_instance_panics_total{instance="back"}"#),
        2.0
    );
    assert_eq!(
        value(&text, r#"patchbay_instance_starts_total{instance="back"}"#),
        1.0
    );
    assert!(value(&text, "process_resident_memory_bytes") > 1e6);
}

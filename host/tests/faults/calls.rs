//! What goes wrong in one request costs that request, and nothing else.

use crate::gateway::{Gateway, isolated};
use serde_json::{Value, json};

/// A deed, and what must stand in its answer.
type Row = (&'static str, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        "panic",
        "internal",
        &[
            "panicked in `eval`",
            "a call panics on request",
            "bug in the plugin",
        ],
    ),
    (
        "panic in drop",
        "internal",
        &["panicked in `eval`", "a drop panics"],
    ),
    ("panic in task", "ok", &[]),
    (
        "hang",
        "timeout",
        &[
            "`rogue` did not answer eval within 3 s",
            "look before you ask again",
        ],
    ),
    (
        "sleep 4000",
        "timeout",
        &["`rogue` did not answer eval within 3 s"],
    ),
    ("big 200000", "too-large", &["max_body_bytes"]),
    ("say twice", "ok", &["first"]),
    ("say stranger", "ok", &[]),
    ("say headless", "protocol", &["answered nonsense"]),
    ("say no-json", "protocol", &["answered nonsense", "no JSON"]),
    (
        "say newline",
        "protocol",
        &["answered nonsense", "raw newlines"],
    ),
    (
        "say no-text",
        "protocol",
        &["answered nonsense", "not UTF-8"],
    ),
    ("say no-kind", "ok", &[]),
    ("say frontends", "ok", &[]),
    ("say no-event", "ok", &[]),
    ("say ready", "ok", &[]),
    ("forge 2000", "ok", &["forged"]),
    ("flap 10000", "ok", &[]),
];

#[test]
fn a_fault_in_a_call_is_that_calls_own() {
    every_fault_is_its_calls_own("");
}

#[test]
fn nor_does_it_matter_whether_the_instance_is_isolated() {
    every_fault_is_its_calls_own(&isolated(""));
}

fn every_fault_is_its_calls_own(rogue: &str) {
    let (gateway, crowd) = Gateway::crowded("long_deadline_s = 3", rogue);
    let (mut victim, mut bystander) = (gateway.victim(), gateway.victim());
    for (deed, outcome, parts) in ROWS {
        let answer = victim.eval(deed);
        let kind = answer["error"]["kind"].as_str();
        assert_eq!(kind.unwrap_or("ok"), *outcome, "{deed}: {answer}");
        let said = answer.to_string();
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{deed}: {said}"
        );
        // Nothing more comes of it: the next line answers the next question.
        for client in [&mut victim, &mut bystander] {
            let asked = json!({ "after": deed, "fresh": true });
            let right = json!({ "ok": { "after": deed } });
            assert_eq!(client.ask("status", asked), right);
        }
        let rogue = gateway.instance("rogue").unwrap();
        assert_eq!(
            (&rogue["phase"], &rogue["failures"]),
            (&json!("running"), &json!(0)),
            "{deed}"
        );
        crowd.goes_on();
    }
    crowd.disperse();
    gateway.end().was(
        0,
        &[
            "rogue.panics",
            "host.requests_timed_out",
            "host.replies_late_or_double",
            "host.events_refused",
            "host.messages_ignored",
        ],
    );
}

#[test]
fn what_a_plugin_leaks_is_seen_in_the_size_of_the_process() {
    let (gateway, crowd) = Gateway::crowded("", "");
    let size = || gateway.status().unwrap()["memory_bytes"].as_u64();
    let Some(before) = size() else {
        // Not every system tells.
        return;
    };
    let leak = 64_000_000;
    assert_eq!(
        gateway.victim().eval(&format!("leak {leak}"))["ok"],
        Value::Null
    );
    assert!(size().unwrap() >= before + leak, "{before}, {:?}", size());
    crowd.goes_on();
    crowd.disperse();
    gateway.end().was(0, &[]);
}

#[test]
fn a_backend_that_never_lets_anybody_out_keeps_nobodys_place() {
    // A session that is let out panics in its drop; one that is not may do so when nobody counts any more.
    for (logout, counted) in [("hang", &[][..]), ("panic", &["rogue.panics"])] {
        let (gateway, crowd) =
            Gateway::crowded("max_sessions = 8", &format!("logout = \"{logout}\""));
        for user in ["admin", "expert"].repeat(20) {
            let mut client = gateway.victim();
            assert_eq!(client.ask("logout", json!({}))["ok"], Value::Null);
            assert!(client.try_login(user)["ok"].is_object());
        }
        crowd.goes_on();
        crowd.disperse();
        gateway.end().was(0, counted);
    }
}

//! A plugin that does not stop talking is cut short, and nobody else's words are lost for it.

use crate::client::Client;
use crate::gateway::{Gateway, isolated};
use serde_json::{Value, json};

/// As fast as it can; a million take a test that is not optimised too long.
const MANY: u64 = 200_000;

#[test]
fn a_flood_of_events_is_a_gap_to_who_reads_them_and_nothing_to_the_others() {
    a_flood_is_a_gap("max_events_per_s = 2000", "");
}

#[test]
fn what_finds_no_room_on_its_way_from_a_process_of_its_own_is_a_gap_too() {
    a_flood_is_a_gap("max_events_per_s = 1000000", &isolated(""));
}

fn a_flood_is_a_gap(limits: &str, does: &str) {
    let (gateway, crowd) = Gateway::crowded(limits, does);
    let (mut victim, mut reader) = (gateway.victim(), gateway.victim());
    assert!(reader.ask("subscribe", json!({}))["ok"].is_object());
    victim.send(&json!({"op": "eval", "args": {"code": format!("flood {MANY}")}}));
    crowd.goes_on();
    assert_eq!(victim.line()["ok"], Value::Null);
    // Whatever was dropped is told: the numbers that came and those of the gaps are all that there were.
    let (mut next, mut missed) = (1, 0);
    while next <= MANY {
        let event = reader.line()["event"].take();
        let seq = event["seq"].as_u64().unwrap_or_else(|| panic!("{event}"));
        if event["kind"] == "gap" {
            missed += seq + 1 - next;
        } else {
            assert_eq!(seq, next, "{event}");
        }
        next = seq + 1;
    }
    assert!(missed > 0);
    crowd.goes_on();
    crowd.disperse();
    gateway.end().was(0, &["rogue.events_dropped"]);
}

#[test]
fn log_lines_without_end_are_dropped_and_counted_and_others_are_still_heard() {
    let (gateway, crowd) = Gateway::crowded("max_log_lines_per_s = 100", "");
    let mut victim = gateway.victim();
    victim.send(&json!({"op": "eval", "args": {"code": format!("chatter {MANY}")}}));
    for number in 0..20 {
        Client::login(&gateway.good(), &format!("witness-{number}"));
    }
    crowd.goes_on();
    assert_eq!(victim.line()["ok"], Value::Null);
    crowd.disperse();
    let end = gateway.end();
    end.was(0, &["rogue.log_lines_dropped"]);
    for number in 0..20 {
        assert!(end.log.contains(&format!("witness-{number}")), "{number}");
    }
    let (lines, dropped) = (
        end.log.matches("chatter").count(),
        "lines of it were dropped",
    );
    assert!(
        (lines as u64) < MANY / 10 && end.log.contains(dropped),
        "{lines}"
    );
    // Nothing else was pushed out of the log.
    assert!(end.log.contains("\"unwritten\":0"));
}

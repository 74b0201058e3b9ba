//! What clients have seen at the three servers, side by side.

use crate::visit::Seen;
use patchbay_e2e::{SERVERS, Shape};
use serde_json::{Value, json};

/// The page that clients are written by.
const PAGE: &str = include_str!("../../../../sdk/dialects/json/README.md");

/// What a server says beside what all say. The page names each.
const MORE: [(&str, &[&str]); 3] = [
    ("nicos", &["native", "protocol"]),
    ("queueserver", &["environment", "error", "exit", "kind"]),
    (
        "python",
        &[
            "body",
            "error",
            "held",
            "python",
            "started",
            "submitted",
            "user",
        ],
    ),
];

/// What the script prints at each.
const LINES: [&str; 5] = ["first", "step 1", "step 2", "step 3", "grüße & <last>"];

/// The same answers but for their values, the same output, the same life and end.
pub fn assert_alike(seen: &[Seen; 3]) {
    assert_more_is_documented();
    let [nicos, others @ ..] = seen;
    for (server, other) in SERVERS.iter().zip(seen) {
        assert_eq!(states(other), ["queued", "started", "finished"], "{server}");
        let end = other.states.last().unwrap();
        assert_eq!(end["outcome"], "succeeded", "{server}: {end}");
        assert_prints(server, other);
    }
    for (server, other) in SERVERS.iter().skip(1).zip(others) {
        assert_eq!(nicos.answers.len(), other.answers.len());
        for ((what, here), (same, there)) in nicos.answers.iter().zip(&other.answers) {
            assert_eq!(what, same);
            for (place, kinds) in Shape::of(here).differences(&Shape::of(there)) {
                let is_more = is_more("nicos", &place) || is_more(server, &place);
                let is_lack = kinds.contains("None");
                assert!(
                    is_lack && is_more,
                    "`{what}` differs at {place}: {kinds}\nnicos: {here}\n{server}: {there}"
                );
            }
        }
    }
}

fn states(seen: &Seen) -> Vec<&str> {
    let states = seen.states.iter().filter_map(|body| body["state"].as_str());
    states.filter(|state| *state != "progress").collect()
}

/// One `print` of two pieces is a line, or two where the capabilities say so.
fn assert_prints(server: &str, seen: &Seen) {
    let whole = &seen.capabilities["log"]["whole_lines"];
    let (last, before) = match whole == &json!("native") {
        true => (vec!["two pieces"], seen.lines.len() - 1),
        false => (vec!["two", "pieces"], seen.lines.len() - 2),
    };
    assert!(
        whole == "native" || whole["unsupported"].is_string(),
        "{server}: {whole}"
    );
    assert_eq!(seen.lines[..before], LINES, "{server}");
    assert_eq!(seen.lines[before..], last, "{server}");
}

fn is_more(server: &str, place: &str) -> bool {
    // Whatever the server, the gateway says how old an answer from its memory is, and why there is nothing newer.
    let own = MORE.iter().filter(|(name, _)| *name == server);
    let mut more = own.flat_map(|(_, more)| *more).chain(&["age_s", "stale"]);
    more.any(|name| place.split(['.', '[']).any(|part| part == *name))
}

fn assert_more_is_documented() {
    for name in MORE.iter().flat_map(|(_, more)| *more) {
        assert!(
            PAGE.contains(&format!("`{name}`")),
            "the page names `{name}`"
        );
    }
}

/// Without what is another one's, whoever runs at that moment.
pub fn without_others(mut status: Value) -> Value {
    for field in ["job", "queue"] {
        status[field] = Value::Null;
    }
    status
}

//! What a real daemon said, as `cargo xtask record nicos` recorded it, held against what is made of it here.
//!
//! The JSON beside each payload was written by the recorder's own Python from real objects.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use patchbay_nicos::pickle::{Limits, decode};
use patchbay_nicos::{event, verb};
use serde::Deserialize;
use serde_json::Value;

/// Bytes that all recordings together may have.
const MOST: u64 = 600_000;

/// Payloads that Python makes something else of, with what is made of them here.
///
/// Protocol 2 knows no `FileNotFoundError`, so the payload says `OSError`. Python finds the subclass by the error number
/// when it calls the class, and nothing is called here.
const DIFFERENT: [(&str, &str); 1] = [(
    "replies/eval-exception-os",
    r#"{"$class":"builtins.OSError","$args":[2,"No such file or directory","/no/such/file"]}"#,
)];

/// `manifest.json`.
#[derive(Deserialize)]
struct Manifest {
    protocol: u32,
    replies: Vec<Asked>,
    events: Vec<Emitted>,
}

/// A command and what the daemon answered.
#[derive(Deserialize)]
struct Asked {
    name: String,
    /// Absent for the greeting and for bytes that are no command.
    command: Option<String>,
    args: Value,
    /// None if the daemon closed the connection without a word, two where it answers twice.
    replies: Vec<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    kind: String,
    payload: Option<String>,
}

#[derive(Deserialize)]
struct Emitted {
    name: String,
    event: String,
    code: u16,
    blobs: usize,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/nicos")
}

fn manifest() -> Manifest {
    let text = fs::read(folder().join("manifest.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The files of `replies` and `events`, as in `replies/banner.pickle`, with their bytes.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for part in ["replies", "events"] {
        for entry in fs::read_dir(folder().join(part)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            files.insert(format!("{part}/{name}"), fs::read(&path).unwrap());
        }
    }
    files
}

/// The payload as the gateway's decoder reads it.
fn decoded(name: &str, payload: &[u8]) -> Value {
    let pickle =
        decode(payload, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let json = pickle
        .to_json()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(json.get()).unwrap()
}

/// Every payload's name without its ending, and the JSON that the recorder wrote of it.
fn recorded(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, Value> {
    let names = files.keys().filter_map(|name| name.strip_suffix(".json"));
    names
        .map(|name| {
            (
                name,
                serde_json::from_slice(&files[&format!("{name}.json")]).unwrap(),
            )
        })
        .collect()
}

#[test]
fn every_recorded_payload_is_decoded_to_what_python_made_of_it() {
    let files = files();
    let recorded = recorded(&files);
    assert!(recorded.len() > 150, "only {} recordings", recorded.len());
    let mut differing = Vec::new();
    for (name, python) in recorded {
        let found = decoded(name, &files[&format!("{name}.pickle")]);
        match DIFFERENT.iter().find(|(different, _)| *different == name) {
            Some((_, ours)) => {
                assert_eq!(
                    found,
                    serde_json::from_str::<Value>(ours).unwrap(),
                    "{name}"
                );
                assert_ne!(found, python, "{name} is no exception any more");
            }
            None if found != python => {
                differing.push(format!("{name}\n  Python: {python}\n  here:   {found}"))
            }
            None => {}
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn the_files_are_those_of_the_manifest() {
    let manifest = manifest();
    let mut expected = BTreeSet::new();
    let replies = manifest.replies.iter().flat_map(|asked| &asked.replies);
    let payloads = replies
        .filter_map(|reply| reply.payload.as_ref())
        .map(|name| format!("replies/{name}"))
        .chain(
            manifest
                .events
                .iter()
                .map(|event| format!("events/{}", event.name)),
        );
    for name in payloads {
        expected.insert(format!("{name}.pickle"));
        expected.insert(format!("{name}.json"));
    }
    for event in &manifest.events {
        expected
            .extend((0..event.blobs).map(|number| format!("events/{}.blob{number}", event.name)));
    }
    assert_eq!(files().into_keys().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn every_command_of_the_protocol_was_asked() {
    let manifest = manifest();
    assert_eq!(manifest.protocol, 24);
    let asked: BTreeSet<_> = manifest
        .replies
        .iter()
        .filter_map(|asked| asked.command.as_deref())
        .collect();
    let all: BTreeSet<_> = verb::ALL.iter().map(|verb| verb.name).collect();
    assert_eq!(asked, all);
}

#[test]
fn every_event_of_the_protocol_was_heard_under_its_number() {
    let manifest = manifest();
    let heard: BTreeMap<_, _> = manifest
        .events
        .iter()
        .map(|event| (event.code, event.event.clone()))
        .collect();
    // Live data had another event before protocol 20.
    let all = (0x1001..=0x101d).filter(|code| *code != 0x100c);
    let all: BTreeMap<_, _> = all
        .map(|code| (code, event::name(code).into_owned()))
        .collect();
    assert_eq!(all.len(), 28);
    assert_eq!(heard, all);
}

#[test]
fn a_refusal_is_a_text_and_comes_twice_only_where_we_expect_it() {
    let files = files();
    let recorded = recorded(&files);
    for asked in manifest().replies {
        let refusals = asked.replies.iter().filter(|reply| reply.kind == "refused");
        for refusal in refusals {
            let payload = format!("replies/{}", refusal.payload.as_ref().unwrap());
            let text = recorded[&*payload].as_str().unwrap();
            let verb = verb::ALL
                .iter()
                .find(|verb| Some(verb.name) == asked.command.as_deref());
            let twice = verb.is_some_and(|verb| verb.answers_twice(text));
            // Without a cache the value comes first, and the command is not sent.
            let value_first = asked.name == "gethistory-without-cache";
            assert_eq!(
                asked.replies.len() == 2,
                twice || value_first,
                "{}",
                asked.name
            );
        }
    }
}

#[test]
fn what_eval_raised_is_recognised_and_a_value_is_not() {
    let files = files();
    let evals = manifest()
        .replies
        .into_iter()
        .filter(|asked| asked.command.as_deref() == Some("eval"));
    let mut raised = 0;
    for asked in evals {
        let [
            Reply {
                kind,
                payload: Some(payload),
            },
        ] = &asked.replies[..]
        else {
            continue;
        };
        let is_exception =
            asked.name.starts_with("eval-exception-") && !asked.name.ends_with("-as-value");
        let payload = &files[&format!("replies/{payload}.pickle")];
        let found = decode(payload, &Limits::default()).unwrap().raised();
        assert_eq!(
            found.is_some(),
            is_exception && kind == "value",
            "{}",
            asked.name
        );
        raised += usize::from(is_exception);
    }
    assert!(raised > 5, "only {raised} exceptions");
}

#[test]
fn live_data_come_with_the_blobs_that_they_describe() {
    let files = files();
    let recorded = recorded(&files);
    let manifest = manifest();
    let live = manifest
        .events
        .iter()
        .filter(|event| event.event == "livedata");
    let mut described = 0;
    for event in live {
        let value = &recorded[&*format!("events/{}", event.name)];
        let data = value["datadescs"].as_array().into_iter().flatten();
        let labels = data
            .clone()
            .flat_map(|data| data["labels"].as_object().unwrap().values());
        let labels = labels.filter(|label| label["define"] == "array");
        let sizes: Vec<_> = data.map(size).chain(labels.map(size)).collect();
        let blobs = (0..event.blobs)
            .map(|number| files[&format!("events/{}.blob{number}", event.name)].len());
        assert_eq!(blobs.collect::<Vec<_>>(), sizes, "{}", event.name);
        described += sizes.len();
    }
    assert!(described > 0);
    let others = manifest
        .events
        .iter()
        .filter(|event| event.event != "livedata");
    assert_eq!(
        others.map(|event| event.blobs).max(),
        Some(0),
        "only live data have blobs"
    );
}

/// The bytes of a buffer that a `datadesc` or label describes: as many items as its shape or length says, of the size
/// that ends its dtype, as in `<u4`.
fn size(description: &Value) -> usize {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let items = match description["shape"].as_array() {
        Some(shape) => shape.iter().map(number).product(),
        None => number(&description["length"]),
    };
    let dtype = description["dtype"].as_str().unwrap();
    let bytes: usize = dtype[2..].parse().unwrap();
    items * bytes
}

#[test]
fn recordings_do_not_tell_where_they_were_made() {
    let mut files = files();
    files.insert(
        "manifest.json".into(),
        fs::read(folder().join("manifest.json")).unwrap(),
    );
    for private in ["/home/", "/root", "/Users/", "/tmp/patchbay", "/target/"] {
        for (name, content) in &files {
            let found = content
                .windows(private.len())
                .any(|part| part == private.as_bytes());
            assert!(!found, "{name} holds {private}");
        }
    }
    let sum: usize = files.values().map(Vec::len).sum();
    assert!(sum as u64 <= MOST, "{sum} bytes");
}

#[test]
fn no_argument_was_left_out_of_the_manifest() {
    for asked in manifest()
        .replies
        .iter()
        .filter(|asked| asked.command.is_some())
    {
        assert!(asked.args.is_array(), "{}", asked.name);
    }
}

//! What NICOS's events are in the model, for what a real daemon was recorded to say and for what older ones said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::path::Path;

use bytes::Bytes;
use patchbay_nicos::pickle::{Limits, decode};
use patchbay_nicos::translate::translate;
use patchbay_sdk::{Event, RawJson};
use serde_json::{Value, json};

fn recorded(file: &str) -> RawJson {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/nicos/events");
    let payload = std::fs::read(folder.join(file)).unwrap();
    decode(&payload, &Limits::default())
        .unwrap()
        .to_json()
        .unwrap()
}

fn body(event: &Event) -> Value {
    serde_json::from_str(event.body.get()).unwrap()
}

fn written(json: Value) -> RawJson {
    RawJson::new(&json).unwrap()
}

/// What a recorded event is told as: its kind, and the word that says what it is about.
fn told(name: &str, file: &str) -> (String, Value) {
    let event = translate(name, &recorded(file), Vec::new()).unwrap();
    let body = body(&event);
    let word = ["data", "change", "state", "event"].map(|field| body[field].clone());
    let word = word.into_iter().find(|word| !word.is_null());
    (event.kind.as_str().to_owned(), word.unwrap_or_default())
}

#[test]
fn every_recorded_event_that_needs_no_memory_has_its_place_in_the_model() {
    let table = [
        ("dataset", "data", "dataset"),
        ("datapoint", "data", "point"),
        ("datacurve", "data", "curve"),
        ("livedata", "data", "live"),
        ("mode", "environment", "mode"),
        ("setup", "environment", "setups"),
        ("device", "environment", "devices"),
        ("experiment", "environment", "experiment"),
        ("plugplay", "environment", "hardware"),
        ("simresult", "simulation", "finished"),
        ("simmessage", "simulation", "message"),
        ("cache", "native", "cache"),
        ("watchdog", "native", "watchdog"),
        ("debugging", "native", "debugging"),
        ("showhelp", "native", "showhelp"),
        ("clientexec", "native", "clientexec"),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/nicos/events");
    for (name, kind, word) in table {
        let of_name = |file: &String| {
            let stem = file.strip_suffix(".pickle");
            stem.is_some_and(|stem| stem == name || stem.starts_with(&format!("{name}-")))
        };
        let files = std::fs::read_dir(&folder).unwrap();
        let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let files: Vec<_> = files.filter(of_name).collect();
        assert!(!files.is_empty(), "{name} was recorded");
        for file in files {
            let (told_kind, told_word) = told(name, &file);
            assert_eq!(told_kind, kind, "{file}");
            // A dry run may have failed.
            assert!(
                told_word == word || told_word == "failed",
                "{file}: {told_word}"
            );
        }
    }
}

#[test]
fn nothing_of_a_recorded_dataset_is_lost() {
    let raw: Value = serde_json::from_str(recorded("dataset.pickle").get()).unwrap();
    let event = translate("dataset", &recorded("dataset.pickle"), Vec::new()).unwrap();
    let body = body(&event);
    for (native, neutral) in [
        ("uid", "dataset"),
        ("started", "started"),
        ("scaninfo", "title"),
        ("counter", "number"),
        ("filepaths", "files"),
        ("xindex", "x_index"),
        ("envvalues", "environment"),
        ("chain", "chain"),
        ("xvalueinfo", "x_columns"),
        ("yvalueinfo", "y_columns"),
        ("xresults", "x"),
        ("yresults", "y"),
        ("headerinfo", "header"),
    ] {
        assert!(!raw[native].is_null(), "{native}");
        assert_eq!(body[neutral], raw[native], "{native}");
    }
    assert_eq!(raw.as_object().unwrap().len(), 13 + 1);
}

#[test]
fn live_data_refer_to_their_blobs() {
    let blobs = vec![Bytes::from_static(&[1, 2]), Bytes::from_static(&[3])];
    let value = json!({
        "uid": {"$class": "uuid.UUID", "hex": "u"}, "time": 1.5, "det": "det", "tag": "live",
        "datadescs": [{"dtype": "<u1", "shape": [2], "labels": null, "plotcount": 1}],
    });
    let event = translate("livedata", &written(value.clone()), blobs).unwrap();
    let body = body(&event);
    assert_eq!((&body["dataset"], &body["blobs"]), (&json!("u"), &json!(2)));
    assert_eq!(body["arrays"], value["datadescs"]);
    let blobs: Vec<_> = event.blobs.iter().map(|blob| blob.to_vec()).collect();
    assert_eq!(blobs, [vec![1, 2], vec![3]]);
}

#[test]
fn live_data_of_an_older_daemon_are_live_data_too() {
    let value = json!(["live", "u", "det", "file", "<u4", 2, 3, 1, 1.5]);
    let blobs = vec![Bytes::from_static(&[0; 24])];
    let event = translate("livedata", &written(value), blobs).unwrap();
    let body = body(&event);
    assert_eq!(
        (&body["data"], &body["dataset"]),
        (&json!("live"), &json!("u"))
    );
    let size = (&body["nx"], &body["ny"], &body["nt"], &body["dtype"]);
    assert_eq!(size, (&json!(2), &json!(3), &json!(1), &json!("<u4")));
    assert_eq!(event.blobs.len(), 1);
}

#[test]
fn an_event_that_nobody_knows_yet_is_told_as_it_is() {
    let value = json!({"new": [1, {"$bytes": "AA=="}]});
    let event = translate("0x101e", &written(value.clone()), Vec::new()).unwrap();
    assert_eq!(event.kind.as_str(), "native");
    assert_eq!(body(&event), json!({"event": "0x101e", "value": value}));
}

#[test]
fn a_dry_run_that_failed_takes_no_time() {
    let value = json!([-1, {}, "id"]);
    let event = translate("simresult", &written(value), Vec::new()).unwrap();
    let expected = json!({"simulation": "id", "state": "failed", "devices": {}});
    assert_eq!(body(&event), expected);
}

//! NICOS's events in the model's words, as far as they need no memory of earlier ones.
//!
//! | NICOS | model |
//! | --- | --- |
//! | `dataset`, `datapoint`, `datacurve`, `livedata`, `liveparams` | `data` with `"data"`: `dataset`, `point`, `curve` or `live` |
//! | `mode`, `setup`, `device`, `experiment`, `plugplay` | `environment` with `"change"`: `mode`, `setups`, `devices`, `experiment` or `hardware` |
//! | `simresult`, `simmessage` | `simulation` with `"state"`: `message`, `finished` or `failed` |
//! | `watch` | `watch` |
//! | `cache`, `watchdog`, `debugging`, and all that a newer daemon may send | `native`: the event's name and its value as it is |
//!
//! The others are told by the observer, which knows the jobs: `message` as `log`; `request`, `processing`, `blocked`,
//! `updated`, `done` and `eta` as `job`; `status` as `state`; `rearranged` as `queue`; `prompt` and `promptdone`;
//! `showhelp` and `clientexec`, which are for one client only, as private `native` events.

mod data;
mod environment;
mod simulation;

use bytes::Bytes;
use patchbay_sdk::{Event, EventKind, Fault, RawJson};
use serde::Serialize;
use serde_json::json;

/// One event in the model's words. `name` is NICOS's name of it, or its number in hexadecimal.
///
/// # Errors
/// `Protocol` if the event is not what the protocol says.
pub fn translate(name: &str, value: &RawJson, blobs: Vec<Bytes>) -> Result<Event, Fault> {
    match name {
        "dataset" => data::dataset(value),
        "datapoint" => data::point(value),
        "datacurve" => data::curve(value),
        "livedata" => data::live(value, blobs),
        "mode" => environment::mode(value),
        "setup" => environment::setups(value),
        "device" => environment::devices(value),
        "experiment" => environment::experiment(value),
        "plugplay" => environment::hardware(value),
        "simresult" => simulation::result(value),
        "simmessage" => simulation::message(value),
        "watch" => Event::new(EventKind::Watch, &json!({ "values": value })),
        _ => native(name, value),
    }
}

#[derive(Serialize)]
struct Native<'a> {
    event: &'a str,
    value: &'a RawJson,
}

/// An event as NICOS has it.
///
/// # Errors
/// `Internal` if it cannot be written.
pub fn native(name: &str, value: &RawJson) -> Result<Event, Fault> {
    Event::new(EventKind::Native, &Native { event: name, value })
}

//! Dry runs, by the id that they were started with.
//!
//! Source: NICOS's `nicos/core/sessions/simulation.py`.

use patchbay_sdk::model::LogLine;
use patchbay_sdk::{Event, EventKind, Fault, RawJson};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::shape::{self, Message};

#[derive(Serialize)]
struct Outcome<'a> {
    simulation: String,
    state: &'static str,
    /// How long the script would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// By device: its last value, the least and the greatest, and other names of it.
    devices: &'a RawValue,
}

/// A dry run has ended; NICOS gives −1 seconds for one that failed.
pub(super) fn result(value: &RawJson) -> Result<Event, Fault> {
    let (seconds, devices, simulation): (f64, &RawValue, String) = shape::read("simresult", value)?;
    let seconds = Some(seconds).filter(|seconds| *seconds >= 0.0);
    let state = if seconds.is_some() {
        "finished"
    } else {
        "failed"
    };
    Event::new(
        EventKind::Simulation,
        &Outcome {
            simulation,
            state,
            seconds,
            devices,
        },
    )
}

/// A dry run says something.
pub(super) fn message(value: &RawJson) -> Result<Event, Fault> {
    let message: Message = shape::read("simmessage", value)?;
    let mut line = LogLine::from(message);
    let simulation = line.job.take();
    let body = json!({"simulation": simulation, "state": "message", "line": line});
    Event::new(EventKind::Simulation, &body)
}

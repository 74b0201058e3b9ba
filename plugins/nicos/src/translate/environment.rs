//! What scripts run in: setups, devices, the experiment.
//!
//! Source: the callbacks in NICOS's `nicos/services/daemon/session.py`.

use patchbay_sdk::{Event, EventKind, Fault, FaultKind, RawJson};
use serde_json::json;
use serde_json::value::RawValue;

use crate::shape;

/// `master`, `slave`, `simulation` or `maintenance`.
pub(super) fn mode(value: &RawJson) -> Result<Event, Fault> {
    let mode: String = shape::read("mode", value)?;
    tell(&json!({"change": "mode", "mode": mode}))
}

/// All setups that are loaded, and those of them that were asked for. Both are empty for a moment while others are
/// being loaded.
pub(super) fn setups(value: &RawJson) -> Result<Event, Fault> {
    let (all, explicit): (Vec<String>, Vec<String>) = shape::read("setup", value)?;
    tell(&json!({"change": "setups", "setups": all, "explicit": explicit}))
}

/// Devices were created or destroyed, or could not be created.
pub(super) fn devices(value: &RawJson) -> Result<Event, Fault> {
    let (action, devices): (String, &RawValue) = shape::read("device", value)?;
    let field = match action.as_str() {
        "create" => "created",
        "destroy" => "destroyed",
        "failed" => "failed",
        _ => {
            let message = "NICOS's device was neither created nor destroyed, nor has it failed";
            return Err(Fault::new(FaultKind::Protocol, message));
        }
    };
    tell(&json!({"change": "devices", field: devices}))
}

/// Another experiment: its proposal and the proposal's type.
pub(super) fn experiment(value: &RawJson) -> Result<Event, Fault> {
    let (proposal, kind): (&RawValue, &RawValue) = shape::read("experiment", value)?;
    tell(&json!({"change": "experiment", "proposal": proposal, "type": kind}))
}

/// Sample environment was plugged in or out.
pub(super) fn hardware(value: &RawJson) -> Result<Event, Fault> {
    let (event, setup, description): (&RawValue, &RawValue, &RawValue) =
        shape::read("plugplay", value)?;
    tell(&json!({"change": "hardware", "event": event, "setup": setup, "description": description}))
}

fn tell(body: &serde_json::Value) -> Result<Event, Fault> {
    Event::new(EventKind::Environment, body)
}

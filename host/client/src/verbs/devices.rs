//! `devices`.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::complaint::Result;
use crate::desk::{self, Desk};
use crate::screen::{BAD, DIM, clean, paint};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Devices {
    devices: Vec<String>,
    failed: BTreeMap<String, String>,
}

/// Lists them, and those that failed with the reason.
pub(super) fn devices(desk: &mut Desk) -> Result<()> {
    let answer = desk.ask("devices", &Value::Null)?;
    let devices: Devices = desk::read("devices", answer.clone())?;
    desk.screen.answer(&answer, || render(devices))
}

fn render(mut devices: Devices) -> String {
    devices.devices.sort_unstable();
    let good = devices.devices.iter().map(|name| clean(name).into_owned());
    let failed = devices.failed.iter().map(|(name, why)| {
        let (name, why) = (clean(name), clean(why));
        paint(BAD, format_args!("{name} failed: {why}"))
    });
    match good.chain(failed).collect::<Vec<_>>() {
        lines if lines.is_empty() => paint(DIM, "no devices"),
        lines => lines.join("\n"),
    }
}

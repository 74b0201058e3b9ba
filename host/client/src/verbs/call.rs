//! `call`: any operation of the gateway.

use patchbay_sdk::model::OPS;
use serde_json::{Value, json};

use super::code::pretty;
use crate::complaint::{Complaint, Result};
use crate::desk::Desk;
use crate::screen::{STRONG, paint};

/// Asks for one, or lists all that script servers may know.
pub(super) fn call(desk: &mut Desk, op: Option<&str>, args: Option<&str>) -> Result<()> {
    let Some(op) = op else {
        return list(desk);
    };
    let args = match args {
        None => Value::Null,
        Some(text) => serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| {
                Complaint::usage("the arguments must be a JSON object, as in '{\"last\": 5}'")
            })?,
    };
    let answer = desk.ask(op, &args)?;
    desk.screen.answer(&answer, || pretty(&answer))
}

fn list(desk: &mut Desk) -> Result<()> {
    let names: Vec<_> = OPS.iter().map(|op| op.name).collect();
    desk.screen.answer(&json!(names), || {
        let lines = OPS.iter().map(|op| {
            let name = paint(STRONG, format_args!("{:<16}", op.name));
            format!("{name} {}", op.doc)
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

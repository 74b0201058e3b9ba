//! `call`: any operation of the gateway.

use patchbay_sdk::model::{OPS, nearest};
use serde_json::{Value, json};

use super::code::pretty;
use crate::complaint::{Complaint, Result};
use crate::desk::Desk;
use crate::screen::{STRONG, paint};

/// Operations that would take this client's own session or events away from it are not among the script server's.
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
    let answer = desk.ask(op, &args).map_err(|complaint| {
        let meant = nearest(op, OPS.iter().map(|op| op.name)).filter(|name| *name != op);
        match (complaint.kind.as_str(), meant) {
            ("unsupported" | "invalid" | "not-found", Some(name)) => {
                complaint.advice(format!("there is `{name}`; `call` alone lists all"))
            }
            _ => complaint,
        }
    })?;
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

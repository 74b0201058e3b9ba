//! `eval` and `exec`.

use serde_json::{Value, json};

use crate::complaint::Result;
use crate::desk::Desk;
use crate::screen::clean;

/// Shows what an expression is.
pub(crate) fn eval(desk: &mut Desk, code: &str) -> Result<()> {
    let answer = desk.ask("eval", &json!({"code": code}))?;
    let value = answer.get("value").unwrap_or(&Value::Null);
    desk.screen.answer(&answer, || pretty(value))
}

/// Runs code.
pub(super) fn exec(desk: &mut Desk, code: &str) -> Result<()> {
    let answer = desk.ask("exec", &json!({"code": code}))?;
    desk.screen
        .answer(&answer, || "Done; what it said is in the log.".to_owned())
}

/// JSON for people. There is no `None` in it.
pub(super) fn pretty(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        value => {
            let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
            clean(&text).into_owned()
        }
    }
}

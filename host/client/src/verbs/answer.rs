//! `answer`: what the running script asks, answered from elsewhere.

use serde_json::Value;

use crate::complaint::{Complaint, Result};
use crate::desk::Desk;
use crate::follow;
use crate::model::Status;

/// Answers it.
pub(super) fn answer(desk: &mut Desk, value: Option<String>) -> Result<()> {
    let status: Status = desk.read("status", &Value::Null)?;
    let prompt = status
        .prompt
        .ok_or_else(|| Complaint::usage("no script asks anything"))?;
    let args = follow::answer_to(&prompt, value.as_deref().unwrap_or_default())
        .map_err(Complaint::usage)?;
    let answer = desk.ask("answer", &args)?;
    desk.screen
        .answer(&answer, || "Answered; the script goes on.".to_owned())
}

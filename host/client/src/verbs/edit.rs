//! `edit`.

use std::path::Path;

use serde_json::json;

use super::{job, script};
use crate::complaint::Result;
use crate::desk::Desk;

/// Gives a script another text.
pub(super) fn edit(desk: &mut Desk, said: &str, file: &Path, reason: Option<String>) -> Result<()> {
    let mut args = json!({"code": script::read(file)?});
    if said != "running" {
        args["job"] = job::find(desk, said)?.into();
    }
    if let Some(reason) = reason {
        args["reason"] = reason.into();
    }
    let answer = desk.ask("edit", &args)?;
    desk.screen.answer(&answer, || "Changed.".to_owned())
}

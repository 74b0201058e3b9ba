//! The RE Manager's own methods, verbatim.

use patchbay_sdk::{Command, Fault, FaultKind, RawJson, Reply};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Scene;
use crate::wire::Urgency;

#[derive(Deserialize)]
struct Native {
    method: String,
    #[serde(default)]
    params: Value,
}

/// `params` is the object that the method takes, or a list with it.
pub(super) async fn native(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let native: Native = command.args()?;
    let params = match native.params {
        Value::Null => json!({}),
        Value::Array(mut list) if list.len() <= 1 => list.pop().unwrap_or(json!({})),
        other => other,
    };
    if !params.is_object() {
        let message = "`native`: `params` must be an object, or a list with one";
        return Err(Fault::new(FaultKind::Invalid, message));
    }
    tracing::info!(method = native.method, user = scene.user, "native call");
    let control = &scene.server.control;
    let body = control
        .raw(&native.method, params, Urgency::Ordinary)
        .await?;
    scene.server.doubt();
    let text = String::from_utf8_lossy(&body).into_owned();
    RawJson::from_string(text).map(Reply::raw).map_err(|fault| {
        Fault::new(
            FaultKind::Protocol,
            format!("the RE Manager's answer is {}", fault.message),
        )
    })
}

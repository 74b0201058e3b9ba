//! What became of a submit whose answer nobody saw.

use patchbay_sdk::model::args::Find;
use patchbay_sdk::{Command, Fault, Reply};
use serde_json::json;

use super::Scene;
use super::queue::asked;
use crate::store::Found;

/// A clock that is set back a little in between does no harm. Seconds.
const CLOCKS: f64 = 5.0;

pub(super) async fn find(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let find: Find = command.args()?;
    let wanted = Found {
        user: scene.user.to_owned(),
        asked: asked(&find.submit),
        since: find.since - CLOCKS,
    };
    Reply::new(&json!({ "jobs": scene.store.find(wanted).await? }))
}

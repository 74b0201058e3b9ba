//! What the model has no operation for.

use patchbay_sdk::model::args::Native;
use patchbay_sdk::{Command, Fault, FaultKind, Reply};
use serde_json::json;

use super::Scene;

/// `jobs`: the last jobs that have ended, the latest first; by default fifty.
pub(super) async fn native(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let native: Native = command.args()?;
    if native.method != "jobs" {
        let name: String = native.method.chars().take(64).collect();
        let text = format!("this backend has no method `{name}`; it has `jobs`");
        return Err(Fault::new(FaultKind::Unsupported, text));
    }
    let most = match native.params.first() {
        None => 50,
        Some(count) => serde_json::from_str::<u64>(count.get())
            .ok()
            .filter(|count| (1..=1000).contains(count))
            .ok_or_else(|| {
                let text = "`jobs` takes a number from 1 to 1000";
                Fault::new(FaultKind::Invalid, text)
            })?,
    };
    let jobs = scene.store.past(most as u32).await?;
    Reply::new(&json!({ "jobs": jobs }))
}

//! What became of a submit whose answer nobody saw: its item, waiting, running or in the history. Each bears when it was
//! submitted and by whom.

use patchbay_sdk::model::args::Find;
use patchbay_sdk::{Command, Fault, Reply};
use serde_json::json;

use super::Scene;
use crate::shape::{History, Item, Queue};
use crate::wire::Urgency;

/// The clock is ours, but it may be set.
const CLOCK_S: f64 = 5.0;

pub(super) async fn find(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let find: Find = command.args()?;
    let control = &scene.server.control;
    let queue: Queue = control
        .ask("queue_get", json!({}), Urgency::Ordinary)
        .await?;
    let history: History = control
        .ask("history_get", json!({}), Urgency::Ordinary)
        .await?;
    let all = history
        .items
        .iter()
        .chain([&queue.running_item])
        .chain(&queue.items);
    let mut found: Vec<(f64, String)> = all
        .filter_map(|item| wanted(item, &find, scene.user))
        .collect();
    {
        // Scripts that run alone are in neither.
        let jobs = scene.server.jobs();
        let alone = jobs.running().filter(|job| {
            job.alone
                && *job.body == *find.submit.code
                && job.record.user.as_deref() == Some(scene.user)
        });
        found.extend(alone.map(|job| {
            (
                job.record.started.unwrap_or(find.since),
                job.record.id.clone(),
            )
        }));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.dedup_by(|a, b| a.1 == b.1);
    let ids: Vec<String> = found.into_iter().map(|(_, id)| id).collect();
    Reply::new(&json!({ "jobs": ids }))
}

fn wanted(item: &Item, find: &Find, user: &str) -> Option<(f64, String)> {
    let mark = item.mark()?;
    let same = item.body() == find.submit.code && item.user.as_deref() == Some(user);
    let recent = mark.at >= find.since - CLOCK_S;
    (same && recent).then_some((mark.at, mark.job))
}

//! `queue`: what waits, and in which order.

use patchbay_sdk::model::QueuedJob;
use serde_json::{Value, json};

use super::job;
use crate::args::QueueVerb;
use crate::complaint::{Complaint, Result};
use crate::desk::{self, Desk};
use crate::model::{Status, short};
use crate::screen::{DIM, clean, paint, table};

/// Lists or changes it.
pub(super) fn queue(desk: &mut Desk, verb: Option<QueueVerb>) -> Result<()> {
    match verb.unwrap_or(QueueVerb::List) {
        QueueVerb::List => list(desk),
        QueueVerb::Remove { all: true, .. } => {
            let answer = desk.ask("remove", &json!({"all": true}))?;
            desk.screen
                .answer(&answer, || "The queue is empty.".to_owned())
        }
        QueueVerb::Remove { job, .. } => {
            let id = job::find(desk, &job.unwrap_or_default())?;
            let answer = desk.ask("remove", &json!({"job": id}))?;
            desk.screen.answer(&answer, || "Removed.".to_owned())
        }
        QueueVerb::Move { job, position } => place(desk, &job, position),
    }
}

fn list(desk: &mut Desk) -> Result<()> {
    let answer = desk.ask("status", &Value::Null)?;
    let status: Status = desk::read("status", answer.clone())?;
    let queue = answer.get("queue").unwrap_or(&Value::Null);
    desk.screen.answer(queue, || {
        let stale = super::status::stale(&status).map(|line| line + "\n");
        stale.unwrap_or_default() + &render(&status.queue)
    })
}

fn render(queue: &[QueuedJob]) -> String {
    if queue.is_empty() {
        return paint(DIM, "nothing waits");
    }
    let rows = queue.iter().enumerate().map(|(index, job)| {
        let user = job.user.as_deref().unwrap_or_default();
        let lines = match job.body.lines().count() {
            1 => "1 line".to_owned(),
            count => format!("{count} lines"),
        };
        [
            (index + 1).to_string(),
            clean(short(&job.id)).into_owned(),
            clean(job.name.as_deref().unwrap_or("(no name)")).into_owned(),
            clean(user).into_owned(),
            lines,
        ]
    });
    table(&rows.collect::<Vec<_>>())
}

fn place(desk: &mut Desk, said: &str, position: usize) -> Result<()> {
    let id = job::find(desk, said)?;
    let status: Status = desk.read("status", &Value::Null)?;
    let ids = status.queue.into_iter().map(|job| job.id).collect();
    let ids = reordered(ids, &id, position)
        .ok_or_else(|| Complaint::usage(format!("no script `{said}` waits")))?;
    let answer = desk.ask("reorder", &json!({"jobs": ids}))?;
    let place = ids
        .iter()
        .position(|other| *other == id)
        .map_or(0, |at| at + 1);
    desk.screen.answer(&answer, || {
        format!("It is number {place} in the queue now.")
    })
}

fn reordered(mut ids: Vec<String>, id: &str, position: usize) -> Option<Vec<String>> {
    let at = ids.iter().position(|other| other == id)?;
    let moved = ids.remove(at);
    ids.insert(position.saturating_sub(1).min(ids.len()), moved);
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_put_where_it_was_asked_for_or_at_the_end() {
        let ids = || ["a", "b", "c"].map(String::from).to_vec();
        assert_eq!(reordered(ids(), "c", 1).unwrap(), ["c", "a", "b"]);
        assert_eq!(reordered(ids(), "a", 2).unwrap(), ["b", "a", "c"]);
        assert_eq!(reordered(ids(), "a", 99).unwrap(), ["b", "c", "a"]);
        assert!(reordered(ids(), "x", 1).is_none());
    }

    #[test]
    fn the_list_is_numbered() {
        let queue: Vec<QueuedJob> = serde_json::from_value(json!([
            {"id": "0123456789", "name": "scan.py", "user": "anna", "body": "a\nb"},
            {"id": "abcdefghij", "body": "a"},
        ]))
        .unwrap();
        let shown = "1  01234567  scan.py    anna  2 lines\n2  abcdefgh  (no name)        1 line\n";
        assert_eq!(render(&queue), shown);
    }
}

//! `status`: what the script server is doing, at a glance.

use patchbay_sdk::model::{JobRecord, JobState, RunningJob};
use serde_json::{Value, json};

use crate::complaint::Result;
use crate::desk::{self, Desk};
use crate::model::{Status, name_or_id, short};
use crate::screen::{BAD, DIM, GOOD, STRONG, WARN, ago, clean, lasted, now, paint};

/// Waiting scripts that are named; `queue` lists all.
const NAMED: usize = 5;

/// Shows it.
pub(crate) fn status(desk: &mut Desk) -> Result<()> {
    let answer = desk.ask("status", &Value::Null)?;
    let status: Status = desk::read("status", answer.clone())?;
    let id = status.job.as_ref().and_then(|job| job.id.clone());
    // Who runs it and since when is said by another operation; a script that began before anybody looked has none.
    let record = id.and_then(|id| desk.read("job", &json!({"job": id})).ok());
    desk.screen
        .answer(&answer, || render(&status, record.as_ref(), now()))
}

fn render(status: &Status, record: Option<&JobRecord>, now: f64) -> String {
    let mut lines = vec![state(status)];
    lines.extend(stale(status));
    if let Some(job) = &status.job {
        lines.push(running(job, record, now));
        lines.extend(statement(job));
    }
    if let Some(prompt) = &status.prompt {
        let asks = paint(WARN, format_args!("asks: {}", clean(&prompt.text)));
        lines.push(format!("  {asks}  (`answer` answers)"));
    }
    lines.push(queue(status));
    lines.extend(status.last.as_ref().map(|last| ended(last, now)));
    lines.join("\n")
}

fn state(status: &Status) -> String {
    let link = status.link.as_deref().unwrap_or("unknown");
    if link != "up" {
        return paint(BAD, format_args!("the link to the script server is {link}"));
    }
    match status.run.as_deref().unwrap_or("unknown") {
        "idle" => paint(GOOD, "idle"),
        "idle-after-failure" => paint(WARN, "idle; the last script failed or was stopped"),
        "running" => paint(GOOD, "running"),
        other => paint(WARN, clean(other)),
    }
}

/// What follows is how things were then.
pub(crate) fn stale(status: &Status) -> Option<String> {
    let why = clean(status.stale.as_deref()?);
    let age = lasted(status.age_s.unwrap_or_default());
    Some(paint(WARN, format_args!("this was known {age} ago: {why}")))
}

fn running(job: &RunningJob, record: Option<&JobRecord>, now: f64) -> String {
    let id = job.id.as_deref().unwrap_or_default();
    let name = clean(name_or_id(job.name.as_deref(), id));
    let mut line = format!("  {}", paint(STRONG, name));
    if let Some(user) = record.and_then(|record| record.user.as_deref()) {
        line += &format!(" by {}", clean(user));
    }
    if let Some(started) = record.and_then(|record| record.started) {
        line += &format!(", for {}", lasted(now - started));
    }
    line + &paint(DIM, format_args!("  {}", clean(short(id))))
}

fn statement(job: &RunningJob) -> Option<String> {
    let at = job.line?;
    let index = usize::try_from(at).ok()?.checked_sub(1)?;
    let text = job.body.lines().nth(index).unwrap_or_default().trim();
    let lines = job.body.lines().count();
    Some(format!("  line {at} of {lines}: {}", clean(text)))
}

fn queue(status: &Status) -> String {
    let names: Vec<_> = status.queue.iter().take(NAMED).collect();
    let names = names
        .iter()
        .map(|job| clean(name_or_id(job.name.as_deref(), &job.id)).into_owned());
    let names = names.collect::<Vec<_>>().join(", ");
    match status.queue.len() {
        0 => paint(DIM, "nothing waits"),
        count if count <= NAMED => format!("waiting: {names}"),
        count => format!("waiting: {names} and {} more", count - NAMED),
    }
}

fn ended(last: &JobRecord, now: f64) -> String {
    let name = clean(name_or_id(last.name.as_deref(), &last.id));
    let style = match last.state {
        JobState::Succeeded => GOOD,
        _ => BAD,
    };
    let state = paint(style, last.state);
    let when = last.ended.map(|ended| ago(ended, now)).unwrap_or_default();
    format!("last: {name} {state} {when}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(status: &Value, record: Option<&Value>) -> String {
        let status: Status = serde_json::from_value(status.clone()).unwrap();
        let record: Option<JobRecord> =
            record.map(|job| serde_json::from_value(job.clone()).unwrap());
        anstream::adapter::strip_str(&render(&status, record.as_ref(), 1000.0)).to_string()
    }

    #[test]
    fn a_running_script_shows_where_it_is_and_whose_it_is() {
        let status = json!({
            "link": "up", "run": "running",
            "job": {"id": "0123456789", "name": "scan.py", "body": "a\n  count(1)\n", "line": 2},
            "queue": [{"id": "abcdefghij", "name": null}],
            "last": {"id": "x", "name": "old", "state": "failed", "ended": 700.0},
        });
        let record = json!({"id": "0123456789", "user": "anna", "started": 935.0});
        let shown = "running\n  scan.py by anna, for 1 min 5 s  01234567\n  line 2 of 2: count(1)\n\
                     waiting: abcdefgh\nlast: old failed 5 min ago";
        assert_eq!(plain(&status, Some(&record)), shown);
    }

    #[test]
    fn an_idle_server_takes_two_lines() {
        let status = json!({"link": "up", "run": "idle", "job": null, "queue": [], "last": null});
        assert_eq!(plain(&status, None), "idle\nnothing waits");
    }

    #[test]
    fn what_is_old_says_how_old_and_why() {
        let status = json!({"link": "down", "stale": "`nicos` is down", "age_s": 75.0});
        let shown = plain(&status, None);
        let expected = "the link to the script server is down\n\
                        this was known 1 min 15 s ago: `nicos` is down\nnothing waits";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_question_and_a_lost_link_are_seen() {
        let status = json!({"link": "down", "prompt": {"prompt": "1", "text": "Beam on?"}});
        let shown = plain(&status, None);
        assert!(
            shown.starts_with("the link to the script server is down"),
            "{shown}"
        );
        assert!(
            shown.contains("asks: Beam on?  (`answer` answers)"),
            "{shown}"
        );
    }
}

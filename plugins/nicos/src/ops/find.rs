//! What became of a submit whose answer nobody saw: its script, in the queue, running, or in the messages.
//!
//! NICOS logs the text of each script when it begins (level `input`), and its request ids are time-stamped. Sources:
//! `formatScript` in the daemon's `utils.py`, `ScriptRequest` in its `script.py`.

use std::time::Duration;

use patchbay_sdk::model::args::Find;
use patchbay_sdk::{Command, Fault, Reply};
use serde_json::json;

use super::Scene;
use super::look::messages;
use crate::shape::{self, Message, Status};
use crate::verb;

/// By so much the daemon's clock may be behind ours.
const CLOCKS: Duration = Duration::from_secs(5);

/// The level of a script's text.
const INPUT: i64 = 26;

/// As long a text is logged at the most, in characters.
const CUT: usize = 8192;

/// A script to be found, as the daemon keeps it and as it logs it.
struct Wanted<'a> {
    user: &'a str,
    since: f64,
    text: String,
    logged: String,
}

pub(super) async fn find(scene: &Scene<'_>, command: &Command) -> Result<Reply, Fault> {
    let find: Find = command.args()?;
    let wanted = Wanted::new(scene.login.user(), &find);
    let json = scene.value(command, verb::GETSTATUS, Vec::new()).await?;
    let status: Status = shape::read("status", &json)?;
    let json = messages(scene, command, scene.settings.log_most).await?;
    let messages: Vec<Message> = shape::read("messages", &json)?;
    let mut jobs = Vec::new();
    jobs.extend(messages.iter().filter_map(|message| wanted.in_log(message)));
    let running = scene.known.jobs().running().cloned();
    let running = running
        .filter(|job| job.user.as_deref() == Some(wanted.user) && status.script == wanted.text);
    jobs.extend(running.map(|job| job.id));
    let queued = status.requests.into_iter().filter(|request| {
        request.user.as_deref() == Some(wanted.user)
            && request.script.as_ref() == Some(&wanted.text)
    });
    jobs.extend(queued.map(|request| request.reqid));
    Reply::new(&json!({ "jobs": wanted.recent(jobs) }))
}

impl<'a> Wanted<'a> {
    fn new(user: &'a str, find: &Find) -> Self {
        let mut text = find.submit.code.clone();
        if text.contains('\n') && !text.ends_with('\n') {
            text.push('\n');
        }
        let logged = match text.contains('\n') {
            true => without_empty_lines(&format!("{text}\n")),
            false => format!(" {text}\n"),
        };
        Self {
            user,
            since: find.since - CLOCKS.as_secs_f64(),
            text,
            logged,
        }
    }

    /// The id of the script that a message shows, if it is this one.
    fn in_log(&self, message: &Message) -> Option<String> {
        let Message(_, time, level, text, _, reqid) = message;
        let rest = text.strip_prefix(">>> [")?.strip_prefix(self.user)?;
        let (_date, shown) = rest.strip_prefix(' ')?.split_once("] ")?;
        // Of several lines: a first line with the name, the text, and a line that ends it.
        let shown = match self.text.contains('\n') {
            true => shown.split_once('\n')?.1,
            false => shown,
        };
        let whole = text.chars().count() < CUT;
        let same = match whole && self.text.contains('\n') {
            true => shown.trim_end().rsplit_once('\n')?.0 == self.logged.trim_end(),
            false if whole => shown == self.logged,
            false => self.logged.starts_with(shown.trim_end()),
        };
        (*level == INPUT && *time >= self.since && same).then(|| reqid.clone())?
    }

    /// Those that are not too old, each once, oldest first.
    fn recent(&self, jobs: Vec<String>) -> Vec<String> {
        let mut dated: Vec<(f64, String)> = jobs
            .into_iter()
            .filter_map(|id| Some((asked_at(&id)?, id)))
            .filter(|(at, _)| *at >= self.since)
            .collect();
        dated.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        dated.dedup_by(|a, b| a.1 == b.1);
        dated.into_iter().map(|(_, id)| id).collect()
    }
}

/// When a request was made, in Unix seconds by the daemon's clock: its id is a version 1 UUID.
fn asked_at(id: &str) -> Option<f64> {
    let (seconds, nanoseconds) = uuid::Uuid::parse_str(id).ok()?.get_timestamp()?.to_unix();
    Some(seconds as f64 + f64::from(nanoseconds) / 1e9)
}

/// As the daemon does it: a line feed, white space, a line feed become one line feed.
fn without_empty_lines(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut out = lines.next().unwrap_or_default().to_owned();
    let mut rest = lines.peekable();
    while let Some(line) = rest.next() {
        if line.trim().is_empty() && rest.peek().is_some() {
            continue;
        }
        out.push('\n');
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "c0ffee00-cafe-11f1-8000-0242ac120002";

    fn wanted(code: &str) -> Wanted<'static> {
        let submit = serde_json::from_value(json!({ "code": code })).unwrap();
        let since = asked_at(ID).unwrap();
        Wanted::new("anna", &Find { submit, since })
    }

    fn logged(text: &str) -> Message {
        let at = asked_at(ID).unwrap() + 1.0;
        Message(
            "nicos".into(),
            at,
            INPUT,
            text.into(),
            None,
            Some(ID.into()),
        )
    }

    #[test]
    fn a_script_is_recognised_by_its_text_and_who_sent_it() {
        let several = wanted("a = 1\n\n  \nb = 2");
        let text = ">>> [anna 2026-11-24 10:00:00] -------------------- scan\na = 1\nb = 2\n----------------------------------------\n";
        assert_eq!(several.in_log(&logged(text)).as_deref(), Some(ID));
        assert_eq!(several.in_log(&logged(&text.replace("anna", "ann"))), None);
        assert_eq!(
            several.in_log(&logged(&text.replace("b = 2", "b = 3"))),
            None
        );
        let one = wanted("count(1)");
        let text = ">>> [anna 2026-11-24 10:00:00]  count(1)\n";
        assert_eq!(one.in_log(&logged(text)).as_deref(), Some(ID));
        assert_eq!(wanted("count(10)").in_log(&logged(text)), None);
    }

    #[test]
    fn a_script_of_an_earlier_time_is_not_the_one() {
        let mut one = wanted("count(1)");
        assert_eq!(one.recent(vec![ID.into(), ID.into()]), [ID]);
        one.since += 10.0;
        assert_eq!(one.recent(vec![ID.into()]), [""; 0]);
    }
}

//! Lines of the server, read.

use patchbay_sdk::model::{JobRecord, JobState};
use patchbay_sdk::{Fault, FaultKind};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// No line of the server's is longer, in bytes.
pub(crate) const LONGEST: usize = 8 << 20;

/// What the server says.
#[derive(Debug, PartialEq)]
pub(crate) enum Said<'a> {
    /// The answer to the order of that number: what it says, or why not.
    Answer(u64, Result<&'a str, &'a str>),
    /// Which life of the server this is.
    Boot(&'a str),
    /// A script begins.
    Begin(&'a str),
    /// It is at that line.
    Line(&'a str, u64),
    /// It says something.
    Out(&'a str, String),
    /// It has ended, or failed, and why.
    End(&'a str, Result<(), String>),
    /// It was taken out of the queue.
    Dropped(&'a str),
}

impl<'a> Said<'a> {
    pub(crate) fn read(line: &'a str) -> Result<Self, Fault> {
        let read = match line.split_once(' ') {
            Some(("EVT", event)) => event_in(event),
            Some((tag, answer)) => answer_in(tag, answer),
            None => None,
        };
        read.ok_or_else(|| {
            let shown: String = line.chars().take(80).collect();
            let why = format!("the server says what makes no sense: {shown:?}");
            Fault::new(FaultKind::Protocol, why)
        })
    }
}

fn answer_in<'a>(tag: &str, answer: &'a str) -> Option<Said<'a>> {
    let tag = tag.parse().ok()?;
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    match word {
        "OK" => Some(Said::Answer(tag, Ok(rest))),
        "NO" => Some(Said::Answer(tag, Err(rest))),
        _ => None,
    }
}

fn event_in(event: &str) -> Option<Said<'_>> {
    let (word, rest) = event.split_once(' ')?;
    let (job, more) = rest.split_once(' ').unwrap_or((rest, ""));
    match word {
        "BOOT" => Some(Said::Boot(rest)),
        "BEGIN" => Some(Said::Begin(job)),
        "LINE" => Some(Said::Line(job, more.parse().ok()?)),
        "OUT" => Some(Said::Out(job, serde_json::from_str(more).ok()?)),
        "END" => Some(Said::End(job, outcome(more)?)),
        "DROPPED" => Some(Said::Dropped(job)),
        _ => None,
    }
}

/// `ok`, or `error` and why.
pub(crate) fn outcome(said: &str) -> Option<Result<(), String>> {
    match said.split_once(' ') {
        None if said == "ok" => Some(Ok(())),
        Some(("error", why)) => Some(Err(serde_json::from_str(why).ok()?)),
        _ => None,
    }
}

/// What the server says of a job of which nothing else is known.
pub(crate) fn record(id: String, said: &str) -> JobRecord {
    let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
    let (state, error) = match (word, outcome(rest)) {
        ("WAITING", _) => (JobState::Queued, None),
        ("RUNNING", _) => (JobState::Running, None),
        ("DROPPED", _) => (JobState::Removed, None),
        ("DONE", Some(Ok(()))) => (JobState::Succeeded, None),
        ("DONE", Some(Err(why))) => (JobState::Failed, Some(why)),
        _ => (JobState::Unknown, None),
    };
    JobRecord {
        id,
        state,
        error,
        ..JobRecord::default()
    }
}

/// Whether a job of this plugin can have that id.
pub(crate) fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_hexdigit() || c == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(fits)
}

/// Reads on until `buffer` ends with a newline; false if the connection ends, or the line is too long. What was read stays in
/// `buffer` if this is dropped.
pub(crate) async fn read_on(
    reader: &mut (impl AsyncBufRead + Unpin),
    buffer: &mut Vec<u8>,
) -> bool {
    let room = (LONGEST - buffer.len().min(LONGEST)) as u64;
    let read = reader.take(room).read_until(b'\n', buffer).await;
    read.is_ok() && buffer.last() == Some(&b'\n')
}

/// Text as one word of a line.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(crate) fn wrong_login() -> Fault {
    Fault::new(FaultKind::Unauthorized, "wrong name or password")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_events_are_told_apart_and_nonsense_is_refused() {
        assert_eq!(Said::read("7 OK a b"), Ok(Said::Answer(7, Ok("a b"))));
        assert_eq!(
            Said::read("7 NO why not"),
            Ok(Said::Answer(7, Err("why not")))
        );
        assert_eq!(Said::read("EVT LINE a 3"), Ok(Said::Line("a", 3)));
        assert_eq!(
            Said::read("EVT OUT a \"x\\ny\""),
            Ok(Said::Out("a", "x\ny".into()))
        );
        let failed = Said::End("a", Err("why".into()));
        assert_eq!(Said::read("EVT END a error \"why\""), Ok(failed));
        for nonsense in [
            "",
            "7",
            "x OK",
            "7 WELL",
            "EVT",
            "EVT LINE a b",
            "EVT END a maybe",
        ] {
            let fault = Said::read(nonsense).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Protocol, "{nonsense}");
        }
    }
}

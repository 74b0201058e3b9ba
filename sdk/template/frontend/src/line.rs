//! Lines, as clients write and read them:
//!
//! ```text
//! → 1 login anna secret
//! ← 1 ok "user"
//! → 2 submit {"code": "count(1)"}
//! ← 2 ok {"job":"0f6c"}
//! → 3 pause
//! ← 3 error {"side":"client","kind":"conflict","message":"nothing runs","retry":false}
//! → 4 events
//! ← 4 ok null
//! ← - event {"kind":"log","epoch":1,"seq":7,"job":"0f6c","body":{…}}
//! ```
//!
//! The first word is the client's own, and comes back with the answer, so that answers need no order.

use patchbay_sdk::{Fault, FaultKind, GatewayEvent, RawJson};
use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// No word of a client's for a request is longer, in bytes.
const LONGEST_ID: usize = 64;

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub(crate) struct Request<'a> {
    pub(crate) id: &'a str,
    pub(crate) word: &'a str,
    pub(crate) rest: &'a str,
}

impl<'a> Request<'a> {
    pub(crate) fn read(line: &'a str) -> Result<Self, Fault> {
        let (id, after) = line.split_once(' ').unwrap_or((line, ""));
        let (word, rest) = after.split_once(' ').unwrap_or((after, ""));
        if id.is_empty() || id.len() > LONGEST_ID || word.is_empty() {
            let why = "a line is: a word of yours, an operation, and its arguments as JSON";
            return Err(Fault::new(FaultKind::Invalid, why));
        }
        let rest = rest.trim();
        Ok(Request { id, word, rest })
    }
}

/// The next line, without its end; `None` when there will be none. Never more than `longest` bytes are kept.
pub(crate) async fn next(
    reader: &mut (impl AsyncBufRead + Unpin),
    longest: usize,
) -> Result<Option<String>, Fault> {
    let mut line = Vec::new();
    let mut limited = reader.take(longest as u64 + 1);
    // A connection that breaks is one that has ended.
    let _ = limited.read_until(b'\n', &mut line).await;
    if line.pop() != Some(b'\n') {
        return match line.len() < longest {
            true => Ok(None),
            false => {
                let why = format!("a line has at most {longest} bytes");
                Err(Fault::new(FaultKind::TooLarge, why))
            }
        };
    }
    let not_text = |_| Fault::new(FaultKind::Invalid, "a line is text in UTF-8");
    let line = String::from_utf8(line).map_err(not_text)?;
    Ok(Some(line.trim_end_matches('\r').to_owned()))
}

/// The line that answers a request.
pub(crate) fn answer(id: &str, outcome: Result<RawJson, Fault>) -> String {
    match outcome {
        // What comes from the gateway has no newlines in it.
        Ok(body) => format!("{id} ok {}\n", body.get()),
        Err(fault) => {
            let fault = RawJson::new(&fault).unwrap_or_else(|_| RawJson::null());
            format!("{id} error {}\n", fault.get())
        }
    }
}

/// The line that tells an event.
pub(crate) fn event(event: &GatewayEvent) -> String {
    #[derive(Serialize)]
    struct Shown<'a> {
        kind: &'a str,
        epoch: u64,
        seq: u64,
        job: Option<&'a str>,
        body: &'a RawJson,
    }
    let shown = RawJson::new(&Shown {
        kind: event.kind.as_str(),
        epoch: event.epoch,
        seq: event.seq,
        job: event.job.as_deref(),
        body: &event.body,
    });
    let shown = shown.unwrap_or_else(|_| RawJson::null());
    format!("- event {}\n", shown.get())
}

/// The line for a client that has read too slowly.
pub(crate) fn missed(events: u64) -> String {
    format!("- missed {events}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_word_an_operation_and_arguments() {
        let request = Request::read("7 submit {\"code\": \"a b\"}").unwrap();
        assert_eq!(
            (request.id, request.word, request.rest),
            ("7", "submit", "{\"code\": \"a b\"}")
        );
        assert!(Request::read("").is_err());
        assert!(Request::read("status").is_err());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_refused_before_it_is_kept() {
        let mut short = &b"1 status\r\nrest"[..];
        assert_eq!(next(&mut short, 20).await.unwrap().unwrap(), "1 status");
        assert_eq!(next(&mut short, 20).await.unwrap(), None);
        let mut long = &[b'x'; 100][..];
        let fault = next(&mut long, 20).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooLarge);
    }
}

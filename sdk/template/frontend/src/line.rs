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
        Ok(Request { id, word, rest })
    }
}

/// What a client has said.
#[derive(Debug)]
pub(crate) enum Said {
    /// A line, without its end.
    Line(String),
    /// Something that is none, and by which word it may be known.
    Refused(String, Fault),
    /// Nothing, for ever.
    End,
}

/// The next line. Never more than `longest` bytes of it are kept; the rest of a longer one is passed over.
pub(crate) async fn next(reader: &mut (impl AsyncBufRead + Unpin), longest: usize) -> Said {
    let mut line = Vec::new();
    // A connection that breaks is one that has ended.
    let _ = reader
        .take(longest as u64 + 1)
        .read_until(b'\n', &mut line)
        .await;
    let is_whole = line.pop_if(|last| *last == b'\n').is_some();
    if !is_whole && line.len() <= longest {
        return Said::End;
    }
    if !is_whole {
        pass_over(reader).await;
        let why = format!("a line has at most {longest} bytes");
        return Said::Refused(id_of(&line), Fault::new(FaultKind::TooLarge, why));
    }
    match String::from_utf8(line) {
        Ok(line) => Said::Line(line.trim_end_matches('\r').to_owned()),
        Err(error) => {
            let fault = Fault::new(FaultKind::Invalid, "a line is text in UTF-8");
            Said::Refused(id_of(error.as_bytes()), fault)
        }
    }
}

/// Reads on to the end of the line, and keeps nothing.
async fn pass_over(reader: &mut (impl AsyncBufRead + Unpin)) {
    loop {
        let (read, is_end) = match reader.fill_buf().await {
            Ok(there) => match there.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (there.len(), there.is_empty()),
            },
            Err(_) => (0, true),
        };
        reader.consume(read);
        if is_end {
            return;
        }
    }
}

/// The client's word at the beginning of a line that cannot be read otherwise.
fn id_of(line: &[u8]) -> String {
    let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    match std::str::from_utf8(word) {
        Ok(id) if !id.is_empty() && id.len() <= LONGEST_ID => id.to_owned(),
        _ => "-".to_owned(),
    }
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
    async fn a_line_that_is_too_long_is_refused_by_its_word_and_passed_over() {
        let mut lines = &b"1 status\r\n2 xxxxxxxxxxxxxxxxxxxxxxxx\n3 log\nrest"[..];
        let mut said = Vec::new();
        loop {
            said.push(match next(&mut lines, 20).await {
                Said::Line(line) => line,
                Said::Refused(id, fault) => format!("{id}: {fault}"),
                Said::End => break,
            });
        }
        assert_eq!(
            said,
            ["1 status", "2: a line has at most 20 bytes", "3 log"]
        );
    }
}

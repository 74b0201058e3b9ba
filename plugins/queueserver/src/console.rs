//! What is printed, as lines and as what the shim says between them.
//!
//! The stream comes in pieces as they were written: parts of lines, several lines, records of the server's own log (each in
//! one piece), and in IPython mode whatever the kernel has put together.

use patchbay_sdk::model::Level;
use serde::Deserialize;
use serde_json::value::RawValue;

const BEGIN: char = '\x1e';
const END: char = '\x1f';
const NAME: &str = "patchbay";

/// What the shim says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Marker {
    /// Of this job's script.
    pub job: Option<String>,
    /// It has begun.
    pub begun: bool,
    /// It prints no more.
    pub over: bool,
    /// It is at this line.
    pub line: Option<i64>,
    /// It had printed so many lines before this.
    pub printed: Option<u64>,
    /// It is held, or goes on.
    pub held: Option<bool>,
    /// The answer to that question.
    pub nonce: Option<u64>,
    /// A value.
    pub value: Option<Box<RawValue>>,
    /// Or what was raised instead.
    pub raised: Option<String>,
}

/// A piece of the stream, understood.
#[derive(Debug)]
pub enum Said {
    /// By the shim.
    Marker(Box<Marker>),
    /// A line that something printed.
    Line(String),
    /// A record of the server's own log.
    Record {
        /// How important it is.
        level: Level,
        /// Which part of the server.
        logger: String,
        /// What.
        text: String,
    },
}

/// Puts lines together.
#[derive(Debug)]
pub struct Console {
    line: String,
    line_most: usize,
    marker: Option<String>,
    marker_most: usize,
    lines: u64,
}

impl Console {
    /// Lines and markers of at most so many bytes.
    #[must_use]
    pub fn new(line_most: usize, marker_most: usize) -> Self {
        Self {
            line: String::new(),
            line_most,
            marker: None,
            marker_most,
            lines: 0,
        }
    }

    /// How many lines have ended since they were last counted; from now on, they are counted from `anew`.
    pub fn recount(&mut self, anew: u64) -> u64 {
        std::mem::replace(&mut self.lines, anew)
    }

    /// What a further piece says.
    pub fn take(&mut self, piece: &str) -> Vec<Said> {
        let mut said = Vec::new();
        if self.marker.is_none()
            && let Some(record) = record(piece)
        {
            return vec![record];
        }
        let mut rest = piece;
        while !rest.is_empty() {
            rest = match self.marker.is_some() {
                true => self.in_marker(rest, &mut said),
                false => self.in_line(rest, &mut said),
            };
        }
        said
    }

    /// The part of a line that has no end yet, if something else follows.
    pub fn flush(&mut self) -> Option<Said> {
        if self.line.is_empty() {
            return None;
        }
        self.lines += 1;
        Some(Said::Line(std::mem::take(&mut self.line)))
    }

    fn in_line<'a>(&mut self, piece: &'a str, said: &mut Vec<Said>) -> &'a str {
        let end = piece.find(['\n', BEGIN]);
        let (text, rest) = piece.split_at(end.unwrap_or(piece.len()));
        self.push(text, said);
        let Some(rest) = rest.strip_prefix('\n') else {
            if let Some(rest) = rest.strip_prefix(BEGIN) {
                self.marker = Some(String::new());
                return rest;
            }
            return "";
        };
        self.lines += 1;
        let mut line = std::mem::take(&mut self.line);
        if line.ends_with('\r') {
            line.pop();
        }
        said.push(Said::Line(line));
        rest
    }

    fn push(&mut self, mut text: &str, said: &mut Vec<Said>) {
        while self.line.len() + text.len() > self.line_most {
            let mut cut = self.line_most.saturating_sub(self.line.len());
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            if cut == 0 && self.line.is_empty() {
                break;
            }
            self.line.push_str(&text[..cut]);
            text = &text[cut..];
            said.push(Said::Line(std::mem::take(&mut self.line)));
        }
        self.line.push_str(text);
    }

    fn in_marker<'a>(&mut self, piece: &'a str, said: &mut Vec<Said>) -> &'a str {
        let end = piece.find(END);
        let (text, rest) = piece.split_at(end.unwrap_or(piece.len()));
        let held = self.marker.get_or_insert_default();
        if held.len() + text.len() > self.marker_most {
            // Somebody else's control character.
            self.marker = None;
            return rest;
        }
        held.push_str(text);
        if rest.is_empty() {
            return rest;
        }
        let whole = self.marker.take().unwrap_or_default();
        let marker = whole.strip_prefix(NAME).map(serde_json::from_str::<Marker>);
        match marker {
            Some(Ok(marker)) => said.push(Said::Marker(Box::new(marker))),
            _ => tracing::debug!("something on the console looks like a marker and is none"),
        }
        let rest = rest.strip_prefix(END).unwrap_or(rest);
        rest.strip_prefix('\n').unwrap_or(rest)
    }
}

/// `[I 2026-11-27 14:39:55,735 bluesky_queueserver.manager.manager] …`, all of it in one piece.
fn record(piece: &str) -> Option<Said> {
    let inner = piece.strip_prefix('[')?;
    let level = match inner.get(..3)? {
        "D 2" => Level::Debug,
        "I 2" => Level::Info,
        "W 2" => Level::Warning,
        "E 2" | "C 2" => Level::Error,
        _ => return None,
    };
    let (head, text) = inner.split_once("] ")?;
    let logger = head.split(' ').nth(3)?;
    if !logger.starts_with("bluesky_queueserver") {
        return None;
    }
    Some(Said::Record {
        level,
        logger: logger.to_owned(),
        text: text.trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> Vec<String> {
        let mut console = Console::new(100, 1000);
        let said = pieces.iter().flat_map(|piece| console.take(piece));
        let line = |said| match said {
            Said::Line(line) => line,
            Said::Marker(marker) => format!("{:?} {:?}", marker.job, marker.line),
            Said::Record { level, text, .. } => format!("{level}: {text}"),
        };
        said.map(line).collect()
    }

    #[test]
    fn lines_are_whole_however_they_were_written() {
        assert_eq!(lines(&["a", "b\nc\r\n", "", "d", "\n"]), ["ab", "c", "d"]);
    }

    #[test]
    fn markers_and_records_may_stand_within_a_line() {
        let marker = "\x1epatchbay{\"job\": \"j\", \"line\": 3}\x1f\n";
        let record =
            "[I 2026-11-27 14:39:55,735 bluesky_queueserver.manager.manager] Hello\n there\n";
        assert_eq!(
            lines(&["a", marker, record, "b\n"]),
            ["Some(\"j\") Some(3)", "info: Hello\n there", "ab"]
        );
        let cut = ["x\x1epatch", "bay{\"line\":", " 4}\x1f\ny\n"];
        assert_eq!(lines(&cut), ["None Some(4)", "xy"]);
    }

    #[test]
    fn lines_are_counted_as_they_were_printed() {
        let mut console = Console::new(4, 1000);
        let record = "[I 2026-11-27 14:39:55,735 bluesky_queueserver.manager.manager] Hello\n";
        let pieces = [
            "a",
            "b\nlonger than a line may be\n\n",
            record,
            "\x1epatchbay{}\x1f\n",
            "c",
        ];
        pieces.iter().for_each(|piece| drop(console.take(piece)));
        assert_eq!(console.recount(7), 3);
        assert!(console.flush().is_some() && console.flush().is_none());
        assert_eq!(console.recount(0), 8);
    }

    #[test]
    fn nothing_grows_without_end() {
        let long = "µ".repeat(120);
        let cut = lines(&[&long, "\n"]);
        assert!(cut.iter().all(|line| line.len() <= 100), "{cut:?}");
        assert_eq!(cut.concat(), long);
        let endless = ["\x1e", &"z".repeat(2000), "\nend\n"];
        assert_eq!(lines(&endless).last().unwrap(), "end");
    }
}

//! The last lines of output, for `log`.

use std::collections::VecDeque;

use patchbay_sdk::model::LogLine;

/// What a line takes beside its text.
const OVERHEAD: usize = 128;

/// Keeps so many lines, and so many bytes.
#[derive(Debug)]
pub struct Journal {
    lines: VecDeque<LogLine>,
    bytes: usize,
    lines_most: usize,
    bytes_most: usize,
}

impl Journal {
    /// Empty.
    #[must_use]
    pub fn new(lines_most: usize, bytes_most: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            bytes: 0,
            lines_most,
            bytes_most,
        }
    }

    /// One more; the oldest go.
    pub fn push(&mut self, line: LogLine) {
        self.bytes += size(&line);
        self.lines.push_back(line);
        while self.lines.len() > self.lines_most || self.bytes > self.bytes_most {
            match self.lines.pop_front() {
                Some(gone) => self.bytes -= size(&gone),
                None => return,
            }
        }
    }

    /// The last so many, oldest first.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &LogLine> {
        self.lines.range(self.lines.len().saturating_sub(count)..)
    }
}

fn size(line: &LogLine) -> usize {
    let traceback = line.traceback.as_ref().map_or(0, String::len);
    OVERHEAD + line.text.len() + line.logger.len() + traceback
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            text: text.into(),
            ..LogLine::default()
        }
    }

    #[test]
    fn both_bounds_hold() {
        let mut few = Journal::new(2, 1 << 20);
        for text in ["a", "b", "c"] {
            few.push(line(text));
        }
        assert_eq!(
            few.last(9).map(|line| &*line.text).collect::<Vec<_>>(),
            ["b", "c"]
        );
        let mut small = Journal::new(100, 300);
        small.push(line(&"x".repeat(200)));
        small.push(line("y"));
        assert_eq!(small.last(9).count(), 1);
    }
}

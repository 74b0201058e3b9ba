//! The last messages, in memory.

use std::collections::VecDeque;

use patchbay_sdk::model::LogLine;

use crate::clock::now;

/// What a message takes beside its text, in bytes.
const BESIDE: usize = 128;

/// Clients find what is new by its time, so that no two messages may have the same one. Seconds.
const APART: f64 = 2e-6;

/// The last messages, bounded in bytes.
pub struct Journal {
    lines: VecDeque<LogLine>,
    bytes: usize,
    most: usize,
    latest: f64,
}

impl Journal {
    /// Without messages; they may take so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            bytes: 0,
            most,
            latest: 0.0,
        }
    }

    /// The time of the next message: later than that of any before.
    pub fn tick(&mut self) -> f64 {
        // In whole microseconds, which every client can tell apart.
        let time = (now() * 1e6).round() / 1e6;
        self.latest = time.max(self.latest + APART);
        self.latest
    }

    /// Keeps a message, and forgets the oldest ones if there is no room.
    pub fn keep(&mut self, line: LogLine) {
        self.bytes += size(&line);
        self.lines.push_back(line);
        while self.bytes > self.most
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= size(&oldest);
        }
    }

    /// The last so many, oldest first, as far as they take no more than so many bytes.
    #[must_use]
    pub fn last(&self, count: usize, bytes: usize) -> Vec<LogLine> {
        let mut left = bytes;
        let mut lines: Vec<LogLine> = Vec::new();
        for line in self.lines.iter().rev().take(count) {
            match left.checked_sub(size(line)) {
                Some(rest) => left = rest,
                None => break,
            }
            lines.push(line.clone());
        }
        lines.reverse();
        lines
    }
}

fn size(line: &LogLine) -> usize {
    BESIDE + line.text.len() + line.traceback.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(journal: &mut Journal, text: &str) -> LogLine {
        LogLine {
            time: journal.tick(),
            text: text.into(),
            ..LogLine::default()
        }
    }

    #[test]
    fn the_oldest_go_first_and_times_rise() {
        let mut journal = Journal::new(3 * (BESIDE + 10));
        for number in 0..10 {
            let line = line(&mut journal, &format!("message {number:2}"));
            journal.keep(line);
        }
        let last = journal.last(100, 1 << 20);
        assert_eq!(last.len(), 3);
        assert_eq!(last[2].text, "message  9");
        assert!(last[0].time < last[1].time && last[1].time < last[2].time);
        assert_eq!(journal.last(100, BESIDE + 10).len(), 1);
    }
}

//! Which messages were shown already. Events tell each once; a look at the log after a gap shows them again.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use patchbay_sdk::model::LogLine;

/// As many are remembered; a look shows fewer.
const REMEMBERED: usize = 10_000;

/// The messages that were shown last.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    shown: VecDeque<u64>,
    /// What the last look has found, which events may still tell.
    looked: HashSet<u64>,
}

impl Seen {
    /// An event tells this; whether it is new.
    pub(crate) fn told(&mut self, line: &LogLine) -> bool {
        let digest = digest(line);
        // Two events are two messages, however much they are alike.
        let is_new = !self.looked.remove(&digest);
        if is_new {
            self.remember(digest);
        }
        is_new
    }

    /// A look shows these; those of them that are new.
    pub(crate) fn looked(&mut self, lines: Vec<LogLine>) -> Vec<LogLine> {
        let shown: HashSet<u64> = self.shown.iter().copied().collect();
        // Also those that were told before: a server repeats its last message to a gateway that has restarted.
        self.looked = lines.iter().map(digest).collect();
        let is_new = |line: &LogLine| !shown.contains(&digest(line));
        let new: Vec<_> = lines.into_iter().filter(is_new).collect();
        for digest in new.iter().map(digest) {
            self.remember(digest);
        }
        new
    }

    fn remember(&mut self, digest: u64) {
        if self.shown.len() >= REMEMBERED {
            self.shown.pop_front();
        }
        self.shown.push_back(digest);
    }
}

/// The time has microseconds, so that a message is hardly ever like another one.
fn digest(line: &LogLine) -> u64 {
    let mut hasher = DefaultHasher::new();
    (line.time.to_bits(), &line.logger, &line.text).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: f64, text: &str) -> LogLine {
        LogLine {
            time,
            text: text.into(),
            ..LogLine::default()
        }
    }

    #[test]
    fn a_look_shows_only_what_events_have_not_told() {
        let mut seen = Seen::default();
        assert!(seen.told(&line(1.0, "a")));
        let new = seen.looked(vec![line(1.0, "a"), line(2.0, "b")]);
        assert_eq!(new, [line(2.0, "b")]);
        assert!(!seen.told(&line(2.0, "b")), "told late");
        assert!(seen.told(&line(3.0, "c")));
        assert!(seen.looked(vec![line(2.0, "b"), line(3.0, "c")]).is_empty());
    }

    #[test]
    fn what_was_told_before_a_look_may_be_told_again_after_it() {
        let mut seen = Seen::default();
        assert!(seen.told(&line(1.0, "a")));
        assert!(seen.looked(vec![line(1.0, "a")]).is_empty());
        assert!(!seen.told(&line(1.0, "a")));
    }

    #[test]
    fn equal_events_are_different_messages() {
        let mut seen = Seen::default();
        assert!(seen.told(&line(1.0, "a")) && seen.told(&line(1.0, "a")));
    }
}

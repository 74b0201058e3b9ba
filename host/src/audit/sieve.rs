//! Keeps those who are refused again and again from filling the log, and so from driving out of it what they did before.

use super::Line;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The same refusal is written once in this time, with a number of the others.
const WINDOW: Duration = Duration::from_secs(10);

/// Different refusals that are known at a time. Beyond that they are told apart by their frontend only.
const MOST: usize = 1024;

/// What makes refusals the same: what, how, by whom, from where.
#[derive(PartialEq, Eq, Hash)]
struct Sort {
    op: String,
    outcome: String,
    user: Option<String>,
    client: Option<String>,
    frontend: Option<String>,
    session: Option<u64>,
}

struct Run {
    begun: Instant,
    /// The last one that was not written, and how many there were.
    held: Option<(Line, u64)>,
}

/// The refusals of the last seconds.
#[derive(Default)]
pub(super) struct Sieve {
    runs: HashMap<Sort, Run>,
}

impl Sieve {
    /// What is to be written of a line now: itself, or nothing yet.
    pub(super) fn pass(&mut self, line: Line, now: Instant) -> Option<Line> {
        if !line.is_refusal() {
            return Some(line);
        }
        let mut sort = Sort::of(&line);
        if self.runs.len() >= MOST && !self.runs.contains_key(&sort) {
            sort = sort.coarse();
        }
        match self.runs.get_mut(&sort) {
            Some(run) => {
                let before = run.held.take().map_or(0, |(_, times)| times);
                run.held = Some((line, before + 1));
                None
            }
            None => {
                let run = Run {
                    begun: now,
                    held: None,
                };
                self.runs.insert(sort, run);
                Some(line)
            }
        }
    }

    /// What was held back for long enough (or, with `all`, at all).
    pub(super) fn due(&mut self, now: Instant, all: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        self.runs.retain(|_, run| {
            if !all && now.duration_since(run.begun) < WINDOW {
                return true;
            }
            if let Some((line, times)) = run.held.take() {
                let times = (times > 1).then_some(times);
                lines.push(Line { times, ..line });
                // It goes on: the next one is held back, too.
                run.begun = now;
                return true;
            }
            false
        });
        lines
    }
}

impl Sort {
    fn of(line: &Line) -> Self {
        Sort {
            op: line.op.clone(),
            outcome: line.outcome.clone(),
            user: line.user.clone(),
            client: line.client.clone(),
            frontend: line.frontend.clone(),
            session: line.session,
        }
    }

    fn coarse(self) -> Self {
        Sort {
            op: String::new(),
            user: None,
            client: None,
            session: None,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(user: &str) -> Line {
        Line {
            user: Some(user.to_owned()),
            ..Line::new("stop", "forbidden")
        }
    }

    #[test]
    fn the_same_refusal_is_written_once_and_then_as_a_number() {
        let (mut sieve, now) = (Sieve::default(), Instant::now());
        assert!(sieve.pass(refused("anna"), now).is_some());
        assert!((0..50).all(|_| sieve.pass(refused("anna"), now).is_none()));
        assert!(sieve.pass(refused("otto"), now).is_some());
        assert!(sieve.due(now, false).is_empty());
        let later = now + WINDOW;
        let due = sieve.due(later, false);
        assert_eq!((due.len(), due[0].times), (1, Some(50)));
        assert!(sieve.pass(refused("otto"), later).is_some(), "a new one");
        assert!(sieve.pass(refused("anna"), later).is_none(), "it goes on");
    }

    #[test]
    fn what_was_done_always_passes_and_memory_is_bounded() {
        let (mut sieve, now) = (Sieve::default(), Instant::now());
        let done = || Line::new("stop", "done");
        assert!((0..10).all(|_| sieve.pass(done(), now).is_some()));
        (0..10 * MOST).for_each(|n| drop(sieve.pass(refused(&n.to_string()), now)));
        assert!(sieve.runs.len() <= MOST + 1);
    }
}

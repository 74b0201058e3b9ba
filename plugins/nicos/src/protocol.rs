//! What differs between the versions of the daemon's protocol, in one place.
//!
//! Source: `PROTO_VERSION` in NICOS's `nicos/protocols/daemon/classic.py`, and the releases since 2.12.

use std::ops::RangeInclusive;

/// The versions that are held to by tests: NICOS 2.12 to 3.13.
pub const TESTED: RangeInclusive<u16> = 17..=24;

/// A version of the daemon's protocol. A newer one than is known is taken for the newest that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Protocol(pub u16);

impl Protocol {
    /// Whether it can be tried at all. Before 17 requests had numbers, or no identity.
    #[must_use]
    pub fn is_spoken(self) -> bool {
        self.0 >= *TESTED.start()
    }

    /// Whether it is newer than what was tested.
    #[must_use]
    pub fn is_untested(self) -> bool {
        self.0 > *TESTED.end()
    }

    /// Whether events say how many binary parts follow. Before, a picture was an event of its own, `livedata`, behind
    /// the `liveparams` that describe it, and was not pickled.
    #[must_use]
    pub fn has_blob_count(self) -> bool {
        self.0 >= 20
    }

    /// Whether the command `keepalive` is known. An unknown command costs the connection.
    #[must_use]
    pub fn has_keepalive(self) -> bool {
        self.0 >= 21
    }

    /// Whether the end of a script is told by the event `done`. Before, the status had to be believed.
    #[must_use]
    pub fn has_done(self) -> bool {
        self.0 >= 22
    }

    /// Whether `gethistory` can thin values out.
    #[must_use]
    pub fn history_has_interval(self) -> bool {
        self.0 >= 23
    }

    /// Whether prompts have ids and may ask for a value, and whether `promptdone` tells that one is settled.
    #[must_use]
    pub fn prompts_have_ids(self) -> bool {
        self.0 >= 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Question = fn(Protocol) -> bool;

    /// The first version for which the answer is yes, if it stays yes.
    fn since(question: Question) -> u16 {
        let answers: Vec<bool> = (0..100)
            .map(|version| question(Protocol(version)))
            .collect();
        assert!(
            answers.is_sorted(),
            "what a version has, the next one has too"
        );
        answers.iter().filter(|answer| !**answer).count() as u16
    }

    #[test]
    fn every_version_has_what_it_brought() {
        let brought: [(u16, Question); 7] = [
            (17, Protocol::is_spoken),
            (20, Protocol::has_blob_count),
            (21, Protocol::has_keepalive),
            (22, Protocol::has_done),
            (23, Protocol::history_has_interval),
            (24, Protocol::prompts_have_ids),
            (25, Protocol::is_untested),
        ];
        for (version, question) in brought {
            assert_eq!(since(question), version);
        }
    }
}

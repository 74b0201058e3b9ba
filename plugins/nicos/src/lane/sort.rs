//! What a lane is for.

use std::time::Duration;

use super::pacer::Haste;
use crate::config::Settings;

/// The sorts of lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// For commands that are answered at once.
    Query,
    /// For commands that must not wait.
    Urgent,
    /// For commands that run the user's code, which may take as long as `eval_deadline_s`.
    Long,
    /// For reading the events.
    Observer,
}

impl Sort {
    /// Its name in logs and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Sort::Query => "query",
            Sort::Urgent => "urgent",
            Sort::Long => "long",
            Sort::Observer => "observer",
        }
    }

    /// Whether its connection is opened before those of others.
    pub(super) fn haste(self) -> Haste {
        match self {
            Sort::Urgent | Sort::Observer => Haste::Urgent,
            Sort::Query | Sort::Long => Haste::None,
        }
    }

    /// How long a reply may take from the moment when its command was sent.
    pub(super) fn reply_deadline(self, settings: &Settings) -> Duration {
        match self {
            Sort::Long => settings.eval_deadline,
            _ => settings.reply_deadline,
        }
    }
}

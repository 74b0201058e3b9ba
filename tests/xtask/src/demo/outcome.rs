//! How the demo's script ended.

use std::fmt;

/// Told by NICOS, through the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// NICOS said so.
    Succeeded,
    /// It ended otherwise; the state as the gateway names it, as in `failed` or `unknown`.
    Otherwise(String),
}

impl Outcome {
    /// From a job's state; `None` while it may still change.
    pub fn of_state(state: &str) -> Option<Self> {
        match state {
            "queued" | "running" | "paused" => None,
            "succeeded" => Some(Self::Succeeded),
            other => Some(Self::Otherwise(other.to_owned())),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => write!(f, "NICOS says: the script succeeded."),
            Self::Otherwise(state) => {
                write!(f, "The script did not succeed: its state is `{state}`.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_positive_word_counts_as_success() {
        assert_eq!(Outcome::of_state("running"), None);
        assert_eq!(Outcome::of_state("succeeded"), Some(Outcome::Succeeded));
        for state in ["failed", "unknown", "lost", "removed", "something new"] {
            assert_eq!(
                Outcome::of_state(state),
                Some(Outcome::Otherwise(state.into()))
            );
        }
    }
}

//! How the demo's script ended.

use std::process::ExitCode;

/// Told by the script server, through the gateway.
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

    /// For people; `server` is who has said so.
    pub fn sentence(&self, server: &str) -> String {
        match self {
            Self::Succeeded => format!("{server} says: the script succeeded."),
            Self::Otherwise(state) => {
                format!("The script did not succeed: its state is `{state}`.")
            }
        }
    }

    /// 0 only upon the positive word.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Succeeded => ExitCode::SUCCESS,
            Self::Otherwise(_) => ExitCode::FAILURE,
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

//! What a worker says.

use patchbay_sdk::{Fault, FaultKind};
use serde::Deserialize;
use serde_json::Value;

/// The answer of the worker to what was evaluated in it.
pub type Answer = Result<Value, Fault>;

/// A message of a worker.
#[derive(Debug, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum Said {
    /// It waits for scripts.
    Ready {
        /// Python's version.
        python: String,
    },
    /// Another worker still lives.
    Waiting {
        /// Its process id.
        pid: String,
    },
    /// The script is at that line.
    Line {
        /// Whose line.
        job: String,
        /// Counted from 1.
        line: u64,
    },
    /// The script is held at a line.
    Paused {
        /// Which script.
        job: String,
        /// Before which line.
        line: u64,
    },
    /// It goes on.
    Resumed {
        /// Which script.
        job: String,
    },
    /// Something was printed or logged.
    Log {
        /// By which script; by none if it was evaluated beside.
        #[serde(default)]
        job: Option<String>,
        /// `debug`, `info`, `warning` or `error`.
        level: String,
        /// Who says it.
        logger: String,
        /// What.
        text: String,
    },
    /// A question.
    Prompt {
        /// Which script asks.
        #[serde(default)]
        job: Option<String>,
        /// Its id.
        prompt: String,
        /// What is asked.
        text: String,
    },
    /// A question is settled.
    PromptDone {
        /// Its id.
        prompt: String,
    },
    /// A script has ended.
    Done(Done),
    /// The answer to what was asked.
    Answer {
        /// The number of what was asked.
        id: u64,
        /// What it is.
        #[serde(flatten)]
        answer: Answered,
    },
}

/// How a script has ended.
#[derive(Debug, Deserialize)]
pub struct Done {
    /// Which one.
    pub job: String,
    /// How.
    pub outcome: Outcome,
    /// In a sentence, unless it succeeded.
    #[serde(default)]
    pub error: Option<String>,
    /// Python's traceback.
    #[serde(default)]
    pub traceback: Option<String>,
}

/// How a script has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It came to its end.
    Succeeded,
    /// By an exception.
    Failed,
    /// By a stop.
    Stopped,
}

/// An answer on the wire.
#[derive(Debug, Deserialize)]
pub struct Answered {
    #[serde(default)]
    ok: Value,
    #[serde(default)]
    error: Option<Mistake>,
}

#[derive(Debug, Deserialize)]
struct Mistake {
    kind: FaultKind,
    message: String,
}

impl Answered {
    /// As the one who asked gets it.
    pub(super) fn into_answer(self) -> Answer {
        match self.error {
            Some(Mistake { kind, message }) => Err(Fault::new(kind, message)),
            None => Ok(self.ok),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_an_error_and_fields_of_a_newer_one_are_not() {
        let read = |text: &str| serde_json::from_str::<Said>(text);
        assert!(read(r#"{"say":"line","job":"a","line":3,"new":1}"#).is_ok());
        for text in [
            "",
            "{}",
            "[]",
            r#"{"say":"line","job":"a"}"#,
            r#"{"say":"nonsense"}"#,
            r#"{"say":"done","job":"a","outcome":"splendid"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let answer = r#"{"say":"answer","id":1,"error":{"kind":"invalid","message":"no"}}"#;
        let Said::Answer { answer, .. } = read(answer).unwrap() else {
            panic!("no answer")
        };
        assert_eq!(answer.into_answer().unwrap_err().message, "no");
    }
}

//! What events mean for one script: a state machine without any I/O.
//!
//! ```text
//! queued ─► running ⇄ paused ─► ended, by the `job` event's word only
//! ```

use super::seen::Seen;
use crate::model::{Prompt, has_ended};
use crate::wire::{Cursor, Event};
use patchbay_sdk::model::{JobState, LogLine};

/// Where the script is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    Queued,
    Running,
    Paused,
    /// With the word for it.
    Ended(String),
}

/// Something to show or to do.
#[derive(Debug, PartialEq)]
pub(super) enum News {
    Log(LogLine),
    /// Stage or line are others than before.
    Progress,
    /// Somebody else's script was put before it, or one less waits.
    Order(Vec<String>),
    Asks(Prompt),
    Settled(String),
    /// The link to the script server is up, or down and why.
    Link(Result<(), String>),
    /// Some events are missing: look anew.
    Missed,
}

impl PartialEq for Prompt {
    fn eq(&self, other: &Self) -> bool {
        self.prompt == other.prompt
    }
}

/// What is known of the script.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) job: String,
    pub(super) stage: Stage,
    pub(super) line: u64,
    /// Somebody has stopped it: that it failed then is not its own doing.
    pub(super) was_stopped: bool,
    pub(super) seen: Seen,
    /// The event that was heard last.
    pub(super) cursor: Option<Cursor>,
}

impl Watch {
    pub(super) fn new(job: String, cursor: Option<Cursor>) -> Self {
        Self {
            job,
            stage: Stage::Queued,
            line: 0,
            was_stopped: false,
            seen: Seen::default(),
            cursor,
        }
    }

    /// Whether the event belongs to the script.
    pub(super) fn is_ours(&self, event: &Event) -> bool {
        event.job.as_ref() == Some(&self.job)
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) -> Option<News> {
        self.cursor = event.cursor().or(self.cursor);
        let ours = self.is_ours(event);
        match event.kind.as_str() {
            "gap" => Some(News::Missed),
            "link" => match event.text("link")? {
                "up" => Some(News::Link(Ok(()))),
                _ => {
                    let cause = event.text("cause").unwrap_or("nobody knows why");
                    Some(News::Link(Err(cause.to_owned())))
                }
            },
            "queue" => {
                let jobs = event.body.get("jobs")?;
                serde_json::from_value(jobs.clone()).ok().map(News::Order)
            }
            "log" if ours => self.log(event),
            "job" if ours => self.job(event),
            "state" if ours => self.state(event),
            "prompt" if ours => {
                let prompt = serde_json::from_value(event.body.clone());
                prompt.ok().map(News::Asks)
            }
            "prompt-done" => Some(News::Settled(event.text("prompt")?.to_owned())),
            _ => None,
        }
    }

    /// A look shows the script in this state. An end that an event has told stays.
    pub(super) fn found(&mut self, state: JobState) {
        match state {
            _ if self.stage.ended().is_some() => {}
            JobState::Queued => self.stage = Stage::Queued,
            JobState::Running => self.stage = Stage::Running,
            JobState::Paused => self.stage = Stage::Paused,
            ended => self.stage = Stage::Ended(ended.to_string()),
        }
    }

    fn log(&mut self, event: &Event) -> Option<News> {
        let mut line: LogLine = serde_json::from_value(event.body.clone()).ok()?;
        let is_new = self.seen.told(&line);
        line.job.clone_from(&event.job);
        is_new.then_some(News::Log(line))
    }

    fn job(&mut self, event: &Event) -> Option<News> {
        let stage = match (event.text("state")?, event.text("outcome")) {
            (_, Some(outcome)) => Stage::Ended(outcome.to_owned()),
            ("finished", None) => Stage::Ended("unknown".to_owned()),
            ("queued", None) => Stage::Queued,
            ("started" | "resumed" | "running", None) => Stage::Running,
            ("paused", None) => Stage::Paused,
            ("succeeded" | "failed" | "removed" | "lost" | "unknown", None) => {
                Stage::Ended(event.text("state")?.to_owned())
            }
            _ => return None,
        };
        self.stage = stage;
        Some(News::Progress)
    }

    fn state(&mut self, event: &Event) -> Option<News> {
        match event.text("run")? {
            "stopping" => self.was_stopped = true,
            // Stages are told by `job`; a script that is being watched from its middle has begun already.
            "running" if self.stage == Stage::Queued => self.stage = Stage::Running,
            _ => {}
        }
        let line = event.body.get("line").and_then(|line| line.as_u64());
        self.line = line.unwrap_or(self.line);
        Some(News::Progress)
    }
}

impl Stage {
    /// The word for how it ended, if it has.
    pub(super) fn ended(&self) -> Option<&str> {
        match self {
            Self::Ended(word) if has_ended(word) => Some(word),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(kind: &str, job: &str, body: Value) -> Event {
        let event = json!({"epoch": 1, "seq": 7, "kind": kind, "job": job, "body": body});
        serde_json::from_value(event).unwrap()
    }

    fn watch() -> Watch {
        Watch::new("a".into(), None)
    }

    #[test]
    fn only_its_own_lines_are_shown() {
        let mut watch = watch();
        let text = |text: &str| json!({"text": text});
        assert!(matches!(
            watch.take(&event("log", "a", text("mine"))),
            Some(News::Log(_))
        ));
        assert_eq!(watch.take(&event("log", "b", text("theirs"))), None);
        assert_eq!(watch.cursor, Some(Cursor { epoch: 1, seq: 7 }));
    }

    #[test]
    fn it_ends_by_the_word_of_the_job_event_alone() {
        let mut watch = watch();
        watch.take(&event("job", "a", json!({"state": "started"})));
        watch.take(&event("state", "a", json!({"run": "idle", "line": 3})));
        watch.take(&event(
            "job",
            "b",
            json!({"state": "finished", "outcome": "failed"}),
        ));
        assert_eq!(watch.stage, Stage::Running);
        watch.take(&event(
            "job",
            "a",
            json!({"state": "finished", "outcome": "succeeded"}),
        ));
        assert_eq!(watch.stage.ended(), Some("succeeded"));
        for (body, word) in [
            (json!({"state": "finished"}), "unknown"),
            (json!({"state": "removed"}), "removed"),
            (json!({"state": "succeeded"}), "succeeded"),
        ] {
            let mut watch = self::watch();
            watch.take(&event("job", "a", body));
            assert_eq!(watch.stage.ended(), Some(word));
        }
    }

    #[test]
    fn a_script_that_is_being_stopped_is_known_to_be() {
        let mut watch = watch();
        watch.take(&event("state", "a", json!({"run": "stopping", "line": 2})));
        assert!(watch.was_stopped);
        assert_eq!(watch.line, 2);
    }

    #[test]
    fn what_is_new_does_no_harm() {
        let mut watch = watch();
        for kind in [
            "job",
            "log",
            "state",
            "queue",
            "link",
            "prompt-done",
            "else",
        ] {
            watch.take(&event(kind, "a", json!(null)));
            watch.take(&event(kind, "a", json!({"state": 1, "run": []})));
        }
        assert_eq!(watch.stage, Stage::Queued);
    }
}

//! How watching ends.

use serde_json::json;

use super::{Script, Watcher};
use crate::complaint::{Complaint, Result};
use crate::exit::Exit;
use crate::follow::watch::Stage;
use crate::model::short;
use crate::screen::{BAD, GOOD, WARN, clean, lasted, paint};

impl Watcher<'_> {
    pub(super) fn forsaken(&self, why: &str) -> Complaint {
        let Script { job, name, .. } = &self.script;
        let name = clean(name);
        let message = format!("it is not known how {name} has ended (id {job}): {why}");
        let advice = format!("when the gateway is back, `patchbay client watch {job}` goes on");
        Complaint::lost(message).advice(advice)
    }

    pub(super) fn give_up(&mut self) -> Result<Exit> {
        self.unwatched();
        let record = json!({"outcome": {"job": self.script.job, "state": "unwatched"}});
        self.screen.record(&record)?;
        Ok(Exit::GivenUp)
    }

    pub(super) fn unwatched(&mut self) {
        self.screen.bar().clear();
        if self.question.take().is_some() {
            self.screen.note("");
        }
        let (name, id) = (clean(&self.script.name), short(&self.script.job));
        let stop = match self.watch.stage {
            Stage::Queued => format!("patchbay client queue remove {id}"),
            _ => "patchbay client stop".to_owned(),
        };
        let note = format!(
            "Nobody watches {name} here any more; it goes on.\n  \
             `patchbay client watch {id}` watches it again, `{stop}` stops it."
        );
        self.screen.note(&note);
    }

    pub(super) fn end(&mut self, word: &str) -> Result<Exit> {
        self.screen.bar().clear();
        let stopped = word == "failed" && self.watch.was_stopped;
        let outcome = json!({"job": self.script.job, "state": word, "stopped": stopped});
        self.screen.record(&json!({"outcome": outcome}))?;
        let (name, took) = (
            clean(&self.script.name),
            lasted(self.begun.elapsed().as_secs_f64()),
        );
        let (style, said, exit) = match word {
            "succeeded" => (GOOD, format!("succeeded after {took}"), Exit::Done),
            "failed" if stopped => (WARN, format!("was stopped after {took}"), Exit::Stopped),
            "failed" => (BAD, format!("failed after {took}"), Exit::Failed),
            "removed" => (WARN, "was removed from the queue".to_owned(), Exit::Stopped),
            "lost" => (
                BAD,
                "was lost: the script server has restarted".to_owned(),
                Exit::Unknown,
            ),
            _ => (
                BAD,
                "ended, but nobody knows how; look at `log`".to_owned(),
                Exit::Unknown,
            ),
        };
        self.screen
            .note(&paint(style, format_args!("{name} {said}")));
        Ok(exit)
    }
}

//! What is shown while the script runs.

use patchbay_sdk::model::{Level, LogLine};
use serde_json::json;

use super::Watcher;
use crate::complaint::Result;
use crate::follow::watch::Stage;
use crate::screen::{WARN, clean, log_line, paint};

/// As many messages are held back while a question is open.
const HELD: usize = 10_000;

impl Watcher<'_> {
    pub(super) fn show(&mut self, line: &LogLine) -> Result<()> {
        self.screen.record(&json!({"log": line}))?;
        match line.level {
            // What it is doing just now belongs to the bar.
            Level::Action => {
                self.act(&line.text);
                return Ok(());
            }
            // Whoever has submitted it knows its text.
            Level::Input => return Ok(()),
            _ => {}
        }
        // Whoever is being asked something can read it first.
        if self.question.is_some() && self.held.len() < HELD {
            self.held.push(log_line(line, None));
            return Ok(());
        }
        self.release()?;
        self.screen.say(&log_line(line, None))
    }

    /// Shows what was held back.
    pub(super) fn release(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        held.iter().try_for_each(|line| self.screen.say(line))
    }

    pub(super) fn act(&mut self, action: &str) {
        // "scan.py :: step 3 of 9": the script's name stands before it anyway.
        let action = action.split_once(" :: ").map_or("", |(_, action)| action);
        self.action = clean(action).into_owned();
        self.draw();
    }

    pub(super) fn link(&self, link: Result<(), String>) {
        let said = match link {
            Ok(()) => "the script server can be reached".to_owned(),
            Err(cause) => format!("the script server cannot be reached: {}", clean(&cause)),
        };
        self.screen.note(&paint(WARN, said));
    }

    pub(super) fn draw(&mut self) {
        if self.question.is_some() {
            return;
        }
        let line = self.watch.line;
        let text = || {
            let index = usize::try_from(line).unwrap_or(0).checked_sub(1);
            let text = index.and_then(|index| self.script.code.lines().nth(index));
            clean(text.unwrap_or_default().trim()).into_owned()
        };
        let lines = self.script.code.lines().count() as u64;
        match &self.watch.stage {
            Stage::Queued => {
                let ahead = match self.ahead {
                    0 => String::new(),
                    1 => " behind another one".to_owned(),
                    count => format!(" behind {count} others"),
                };
                let message = format!("{} waits{ahead}", clean(&self.script.name));
                self.screen.bar().wait(message);
            }
            stage => {
                let state = match stage {
                    _ if self.watch.was_stopped => "stopping",
                    Stage::Paused => "paused",
                    _ => "running",
                };
                let text = match self.action.as_str() {
                    "" => text(),
                    action => format!("{}  {action}", text()),
                };
                self.screen.bar().at(state, line, lines, text);
            }
        }
    }
}

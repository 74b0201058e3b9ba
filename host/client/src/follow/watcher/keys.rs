//! What is asked at the terminal, and what is typed there.

use std::time::Duration;

use patchbay_sdk::model::JobState;
use serde_json::{Value, json};

use super::Watcher;
use crate::complaint::{Complaint, Result};
use crate::exit::Exit;
use crate::follow::choice::Choice;
use crate::follow::question::{Question, answer_to, typed};
use crate::follow::watch::Stage;
use crate::model::{Prompt, Status};
use crate::screen::{BAD, DIM, WARN, clean, paint};

impl Watcher<'_> {
    /// After the first Ctrl-C; whether there is somebody to be asked.
    pub(super) fn question_after_key(&mut self) -> bool {
        let is_second = matches!(self.question, Some(Question::WhatNow { .. }));
        if is_second || !self.screen.is_interactive() {
            return false;
        }
        self.screen.bar().clear();
        self.screen.note("");
        let runs = self.watch.stage != Stage::Queued;
        let status = runs.then(|| self.try_read::<Status>("status", &Value::Null));
        if std::mem::take(&mut self.pressed) {
            return false;
        }
        let waiting = status.flatten().map_or(0, |status| status.queue.len());
        self.pose(Question::WhatNow { waiting });
        true
    }

    pub(super) fn pose(&mut self, question: Question) {
        self.screen.bar().clear();
        self.question = Some(question);
        self.repeat_question();
    }

    pub(super) fn repeat_question(&self) {
        if let Some(question) = &self.question {
            self.screen.question(&question.text());
        }
    }

    pub(super) fn ask(&mut self, prompt: Prompt) {
        if self.screen.is_interactive() {
            if self.question.is_none() {
                self.pose(Question::Script(prompt.clone()));
            }
        } else {
            let text = clean(&prompt.text);
            let said = format!("the script asks: {text} (`patchbay client answer` answers)");
            self.screen.note(&paint(WARN, said));
        }
        self.asked = Some(prompt);
    }

    /// It was answered, here or elsewhere.
    pub(super) fn settled(&mut self, id: &str) {
        if self.asked.take_if(|asked| asked.prompt == id).is_some() {
            let is_open =
                matches!(&self.question, Some(Question::Script(open)) if open.prompt == id);
            if is_open {
                self.question = None;
                self.screen.note(&paint(DIM, "(answered elsewhere)"));
            }
            self.draw();
        }
    }

    /// What somebody has typed.
    pub(super) fn answered(&mut self) -> Result<Option<Exit>> {
        if self.question.is_none() {
            return Ok(None);
        }
        let Some(line) = typed(Duration::ZERO) else {
            return Ok(None);
        };
        match self.question.take() {
            None => {}
            Some(Question::Script(prompt)) => self.tell_script(prompt, line.as_deref()),
            Some(Question::WhatNow { waiting }) => match Choice::read(line.as_deref()) {
                Some(Choice::Stop) => self.stop_now(),
                Some(Choice::Leave) => return self.give_up().map(Some),
                Some(Choice::GoOn) => self.go_on(),
                None => self.pose(Question::WhatNow { waiting }),
            },
        }
        if self.question.is_none() {
            self.release()?;
        }
        Ok(None)
    }

    pub(super) fn go_on(&mut self) {
        match self.asked.clone() {
            Some(prompt) => self.pose(Question::Script(prompt)),
            None => self.draw(),
        }
    }

    pub(super) fn tell_script(&mut self, prompt: Prompt, typed: Option<&str>) {
        let Some(typed) = typed else {
            // Ctrl-D: nobody will answer here; Ctrl-C asks what to do.
            self.screen.note("");
            return self.draw();
        };
        let answered = answer_to(&prompt, typed).and_then(|args| {
            let answer = self.session.ask("answer", &args);
            answer.map_err(|failure| Complaint::from(failure).message)
        });
        match answered {
            Ok(_) => {
                self.asked = None;
                self.draw();
            }
            Err(why) => {
                self.screen.note(&paint(BAD, clean(&why)));
                self.pose(Question::Script(prompt));
            }
        }
    }

    /// Stops it before anything was heard of it: it is looked up whether it runs already.
    pub(super) fn stop_unheard(&mut self) {
        let status = self.try_read::<Status>("status", &Value::Null);
        let running = status.and_then(|status| status.job?.id);
        if running.as_ref() == Some(&self.script.job) {
            self.watch.found(JobState::Running);
        }
        self.stop_now();
    }

    pub(super) fn stop_now(&mut self) {
        let asked = match self.watch.stage {
            Stage::Queued => self.session.ask("remove", &json!({"job": self.script.job})),
            _ => self.session.ask("stop", &json!({"at": "now"})),
        };
        match asked {
            Ok(_) => {
                self.watch.was_stopped = true;
                self.screen.note("it is being stopped");
                self.draw();
            }
            Err(failure) => {
                let why = Complaint::from(failure).message;
                self.screen.note(&paint(BAD, clean(&why)));
                self.go_on();
            }
        }
    }
}

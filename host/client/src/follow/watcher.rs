//! The loop that watches: events, keys and the connection, one after the other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::again::{Outage, again};
use super::question::{Question, answer_to, typed};
use super::watch::{News, Stage, Watch};
use crate::complaint::{Complaint, Result};
use crate::exit::Exit;
use crate::interrupt;
use crate::model::{Job, Log, LogLine, Prompt, Status, short};
use crate::screen::{BAD, DIM, GOOD, Screen, WARN, clean, lasted, log_line, paint};
use crate::session::{KINDS, Session};
use crate::wire::{Cursor, Event, Failure};

/// How soon keys are noticed.
const STEP: Duration = Duration::from_millis(50);
/// Messages that are looked through after a gap.
const LOOKED: u32 = 1000;
/// How often a script that nobody knows is looked for: after a restart of the gateway it may take a moment.
const LOOKS: u32 = 5;

/// The script that is watched.
pub(crate) struct Script {
    pub(crate) job: String,
    pub(crate) name: String,
    /// Its text.
    pub(crate) code: String,
}

/// Somebody who watches a script.
pub(crate) struct Watcher<'a> {
    session: &'a mut Session,
    screen: &'a mut Screen,
    script: Script,
    watch: Watch,
    patience: u32,
    begun: Instant,
    /// The next look, how often it was tried, and until when.
    look: Option<(Instant, u32, Outage)>,
    /// What the script asks.
    asked: Option<Prompt>,
    question: Option<Question>,
    pressed: bool,
}

impl<'a> Watcher<'a> {
    /// Whoever makes one has subscribed to `KINDS`; `cursor` says from where on.
    pub(crate) fn new(
        session: &'a mut Session,
        screen: &'a mut Screen,
        script: Script,
        cursor: Option<Cursor>,
        patience: u32,
    ) -> Self {
        let watch = Watch::new(script.job.clone(), cursor);
        Self {
            session,
            screen,
            script,
            watch,
            patience,
            begun: Instant::now(),
            look: None,
            asked: None,
            question: None,
            pressed: false,
        }
    }

    /// Watches until the script has ended, or somebody does not want to any more.
    pub(crate) fn run(mut self) -> Result<Exit> {
        self.locate();
        let done = self.watch_on();
        self.screen.bar().clear();
        if self.question.take().is_some() {
            self.screen.note("");
        }
        done
    }

    /// As [`Watcher::run`], but of a script that was not submitted just now.
    pub(crate) fn join(mut self) -> Result<Exit> {
        self.look = Some((Instant::now(), 0, Outage::new(self.patience)));
        self.run()
    }

    fn watch_on(&mut self) -> Result<Exit> {
        loop {
            match self.session.connection.next_event(STEP) {
                Ok(Some(event)) => self.hear(&event)?,
                Ok(None) => {}
                Err(failure) => self.lost(&reason(failure))?,
            }
            self.look_if_due()?;
            if let Some(word) = self.watch.stage.ended() {
                let word = word.to_owned();
                return self.end(&word);
            }
            if interrupt::taken() || std::mem::take(&mut self.pressed) {
                if self.question_after_key() {
                    continue;
                }
                return self.give_up();
            }
            if let Some(exit) = self.answered()? {
                return Ok(exit);
            }
        }
    }

    // ---- what is heard

    fn hear(&mut self, event: &Event) -> Result<()> {
        if self.watch.is_ours(event) && event.kind != "log" {
            self.screen.record(&json!({"event": event}))?;
        }
        match self.watch.take(event) {
            None => {}
            Some(News::Log(line)) => self.show(&line)?,
            Some(News::Progress) => self.draw(None),
            Some(News::Order(jobs)) => {
                let ahead = jobs.iter().position(|job| *job == self.script.job);
                self.draw(ahead);
            }
            Some(News::Asks(prompt)) => self.ask(prompt),
            Some(News::Settled(prompt)) => self.settled(&prompt),
            Some(News::Link(link)) => self.link(link),
            Some(News::Missed) => self.look = Some((Instant::now(), 0, Outage::new(self.patience))),
        }
        Ok(())
    }

    fn show(&self, line: &LogLine) -> Result<()> {
        self.screen.record(&json!({"log": line}))?;
        if self.question.is_some() {
            self.screen.note("");
        }
        self.screen.say(&log_line(line, None))?;
        self.repeat_question();
        Ok(())
    }

    fn link(&self, link: Result<(), String>) {
        let said = match link {
            Ok(()) => "the script server can be reached".to_owned(),
            Err(cause) => format!("the script server cannot be reached: {}", clean(&cause)),
        };
        self.screen.note(&paint(WARN, said));
    }

    fn draw(&mut self, ahead: Option<usize>) {
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
                let ahead = match ahead {
                    None | Some(0) => String::new(),
                    Some(1) => " behind another one".to_owned(),
                    Some(count) => format!(" behind {count} others"),
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
                let text = text();
                self.screen.bar().at(state, line, lines, text);
            }
        }
    }

    // ---- where it is

    /// How far the script is, or how many go before it; shown only, so that it does no harm if it cannot be said.
    fn locate(&mut self) {
        if self.screen.is_json() {
            return;
        }
        self.draw(None);
        let Some(status) = self.try_read::<Status>("status", &Value::Null) else {
            return;
        };
        if let Some(at) = status
            .queue
            .iter()
            .position(|job| job.id == self.script.job)
        {
            let ahead = at + usize::from(status.job.is_some());
            self.draw(Some(ahead));
        }
    }

    fn look_if_due(&mut self) -> Result<()> {
        let Some((due, looks, mut outage)) = self.look.take() else {
            return Ok(());
        };
        if Instant::now() < due {
            self.look = Some((due, looks, outage));
            return Ok(());
        }
        match self.look() {
            Ok(true) => Ok(()),
            Ok(false) if looks + 1 >= LOOKS => {
                self.watch.found("unknown");
                Ok(())
            }
            Ok(false) => {
                self.look = Some((Instant::now() + Duration::from_secs(1), looks + 1, outage));
                Ok(())
            }
            // The connection, if it is that, is mended elsewhere.
            Err(Failure::Refused(refusal)) => {
                outage.wait(self.forsaken(&refusal.message))?;
                self.look = Some((Instant::now(), looks, outage));
                Ok(())
            }
            Err(Failure::Interrupted) => {
                self.pressed = true;
                self.look = Some((due, looks, outage));
                Ok(())
            }
            Err(Failure::Broken(_)) => Ok(()),
        }
    }

    /// Looks for the script and for what it said; whether it is known. First the state: what it said is complete then.
    fn look(&mut self) -> Result<bool, Failure> {
        let status: Status = read(self.session.ask("status", &Value::Null)?);
        let ours = Some(&self.script.job);
        let is_waiting = status.queue.iter().any(|job| Some(&job.id) == ours);
        let running = status.job.as_ref().filter(|job| job.id.as_ref() == ours);
        let state = match self.session.ask("job", &json!({"job": self.script.job})) {
            Ok(job) => Some(read::<Job>(job).state),
            Err(Failure::Refused(refusal)) if refusal.kind == "not-found" => {
                let waits = is_waiting.then_some("queued");
                waits.or(running.map(|_| "running")).map(String::from)
            }
            Err(failure) => return Err(failure),
        };
        let log: Log = match self.session.ask("log", &json!({"last": LOOKED})) {
            Err(Failure::Refused(refusal)) if refusal.kind == "too-large" => {
                read(self.session.ask("log", &Value::Null)?)
            }
            log => read(log?),
        };
        let mine = log.messages.into_iter();
        let mine = mine.filter(|line| line.job.as_ref() == ours).collect();
        for line in self.watch.seen.looked(mine) {
            // A screen that cannot be written will be noticed with the next line.
            let _ = self.show(&line);
        }
        self.watch.line = running.and_then(|job| job.line).unwrap_or(self.watch.line);
        if let Some(state) = &state {
            self.watch.found(state);
            self.draw(None);
        }
        Ok(state.is_some())
    }

    // ---- the connection

    fn lost(&mut self, why: &str) -> Result<()> {
        self.screen.bar().clear();
        let mut outage = Outage::new(self.patience);
        let came_back = again(
            self.session,
            self.screen,
            (KINDS, self.watch.cursor),
            (why, &mut outage),
        );
        match came_back {
            Ok(cursor) => {
                self.watch.cursor = cursor;
                self.look = Some((Instant::now(), 0, outage));
                self.repeat_question();
                Ok(())
            }
            Err(complaint) if complaint.exit == Exit::GivenUp => {
                self.pressed = true;
                self.unwatched();
                Err(complaint)
            }
            Err(complaint) => Err(self.forsaken(&complaint.message)),
        }
    }

    fn forsaken(&self, why: &str) -> Complaint {
        let Script { job, name, .. } = &self.script;
        let name = clean(name);
        let message = format!("it is not known how {name} has ended (id {job}): {why}");
        let advice = format!("when the gateway is back, `patchbay client watch {job}` goes on");
        Complaint::lost(message).advice(advice)
    }

    fn try_read<T: serde::de::DeserializeOwned + Default>(
        &mut self,
        op: &str,
        args: &Value,
    ) -> Option<T> {
        match self.session.ask(op, args) {
            Ok(answer) => Some(read(answer)),
            Err(Failure::Interrupted) => {
                self.pressed = true;
                None
            }
            Err(_) => None,
        }
    }

    // ---- keys

    /// After the first Ctrl-C; whether there is somebody to be asked.
    fn question_after_key(&mut self) -> bool {
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

    fn pose(&mut self, question: Question) {
        self.screen.bar().clear();
        self.question = Some(question);
        self.repeat_question();
    }

    fn repeat_question(&self) {
        if let Some(question) = &self.question {
            self.screen.question(&question.text());
        }
    }

    fn ask(&mut self, prompt: Prompt) {
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
    fn settled(&mut self, id: &str) {
        if self.asked.take_if(|asked| asked.prompt == id).is_some() {
            let is_open =
                matches!(&self.question, Some(Question::Script(open)) if open.prompt == id);
            if is_open {
                self.question = None;
                self.screen.note(&paint(DIM, "(answered elsewhere)"));
            }
            self.draw(None);
        }
    }

    /// What somebody has typed.
    fn answered(&mut self) -> Result<Option<Exit>> {
        if self.question.is_none() {
            return Ok(None);
        }
        let Some(line) = typed() else {
            return Ok(None);
        };
        match self.question.take() {
            None => {}
            Some(Question::Script(prompt)) => self.tell_script(prompt, line.as_deref()),
            Some(Question::WhatNow { waiting }) => match line.as_deref() {
                Some("s" | "S" | "stop") => self.stop(),
                Some("w" | "W" | "watch") => return self.give_up().map(Some),
                Some("" | "g" | "go" | "c") | None => self.go_on(),
                Some(_) => self.pose(Question::WhatNow { waiting }),
            },
        }
        Ok(None)
    }

    fn go_on(&mut self) {
        match self.asked.clone() {
            Some(prompt) => self.pose(Question::Script(prompt)),
            None => self.draw(None),
        }
    }

    fn tell_script(&mut self, prompt: Prompt, typed: Option<&str>) {
        let Some(typed) = typed else {
            // Ctrl-D: nobody will answer here; Ctrl-C asks what to do.
            self.screen.note("");
            return self.draw(None);
        };
        let answered = answer_to(&prompt, typed).and_then(|args| {
            let answer = self.session.ask("answer", &args);
            answer.map_err(|failure| Complaint::from(failure).message)
        });
        match answered {
            Ok(_) => {
                self.asked = None;
                self.draw(None);
            }
            Err(why) => {
                self.screen.note(&paint(BAD, clean(&why)));
                self.pose(Question::Script(prompt));
            }
        }
    }

    fn stop(&mut self) {
        let asked = match self.watch.stage {
            Stage::Queued => self.session.ask("remove", &json!({"job": self.script.job})),
            _ => self.session.ask("stop", &json!({"at": "now"})),
        };
        match asked {
            Ok(_) => {
                self.watch.was_stopped = true;
                self.screen.note("it is being stopped");
                self.draw(None);
            }
            Err(failure) => {
                let why = Complaint::from(failure).message;
                self.screen.note(&paint(BAD, clean(&why)));
                self.go_on();
            }
        }
    }

    // ---- ends

    fn give_up(&mut self) -> Result<Exit> {
        self.unwatched();
        let record = json!({"outcome": {"job": self.script.job, "state": "unwatched"}});
        self.screen.record(&record)?;
        Ok(Exit::GivenUp)
    }

    fn unwatched(&mut self) {
        self.question = None;
        self.screen.bar().clear();
        let (name, id) = (clean(&self.script.name), short(&self.script.job));
        let note = format!(
            "\nNobody watches {name} here any more; it goes on.\n  \
             patchbay client watch {id}   watches it again\n  \
             patchbay client stop             stops the script that runs\n  \
             patchbay client queue remove {id}   if it still waits"
        );
        self.screen.note(&note);
    }

    fn end(&mut self, word: &str) -> Result<Exit> {
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

/// What is not understood is as good as nothing here.
fn read<T: serde::de::DeserializeOwned + Default>(answer: Value) -> T {
    serde_json::from_value(answer).unwrap_or_default()
}

fn reason(failure: Failure) -> String {
    Complaint::from(failure).message
}

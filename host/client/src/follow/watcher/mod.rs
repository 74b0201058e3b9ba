//! The loop that watches: events, keys and the connection, one after the other.

mod end;
mod keys;
mod look;
mod show;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::again::{Outage, again};
use super::question::Question;
use super::watch::{News, Watch};
use crate::complaint::{Complaint, Result};
use crate::exit::Exit;
use crate::interrupt;
use crate::model::Prompt;
use crate::screen::Screen;
use crate::session::{KINDS, Session};
use crate::wire::{Cursor, Event, Failure};

/// How soon keys are noticed.
const STEP: Duration = Duration::from_millis(50);

/// The script that is watched.
pub(crate) struct Script {
    pub(crate) job: String,
    pub(crate) name: String,
    /// Its text.
    pub(crate) code: Arc<str>,
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
    /// How many scripts go before it.
    ahead: usize,
    /// What it does just now, in the server's words.
    action: String,
    /// What is not shown while a question is open.
    held: Vec<String>,
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
            ahead: 0,
            action: String::new(),
            held: Vec::new(),
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
        self.release()?;
        done
    }

    /// As [`Watcher::run`], but of a script that somebody wants to be stopped already.
    pub(crate) fn stop(mut self) -> Result<Exit> {
        self.stop_unheard();
        self.run()
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
            // What it said is complete only when nothing is left to look for.
            if let Some(word) = self.watch.stage.ended().filter(|_| self.look.is_none()) {
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

    fn hear(&mut self, event: &Event) -> Result<()> {
        if self.watch.is_ours(event) && event.kind != "log" {
            self.screen.record(&json!({"event": event}))?;
        }
        match self.watch.take(event) {
            None => {}
            Some(News::Log(line)) => self.show(&line)?,
            Some(News::Progress) => self.draw(),
            Some(News::Order(jobs)) => {
                if let Some(at) = jobs.iter().position(|job| *job == self.script.job) {
                    // One runs already.
                    self.ahead = at + 1;
                }
                self.draw();
            }
            Some(News::Asks(prompt)) => self.ask(prompt),
            Some(News::Settled(prompt)) => self.settled(&prompt),
            Some(News::Link(link)) => self.link(link),
            Some(News::Missed) => self.look = Some((Instant::now(), 0, Outage::new(self.patience))),
        }
        Ok(())
    }

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
                self.unwatched();
                Err(complaint)
            }
            Err(complaint) => Err(self.forsaken(&complaint.message)),
        }
    }
}

fn reason(failure: Failure) -> String {
    Complaint::from(failure).message
}

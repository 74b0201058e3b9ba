//! What the JMS client process told and nobody has taken yet.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Event, Line};
use crate::error::{Error, Result};
use crate::wait;

/// Events beyond this number mean that nobody takes them.
const EVENTS: usize = 200_000;
const LINE_BYTES: u64 = 64 * 1024 * 1024;
/// How often a wait looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(100);

/// Filled by a reading thread, emptied by those who wait.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    /// What became of the commands that nobody has asked about yet.
    outcomes: HashMap<u64, std::result::Result<(), String>>,
    events: VecDeque<Event>,
    /// Why nothing will come any more.
    ended: Option<String>,
}

impl Inbox {
    /// Reads lines until there are no more.
    pub fn fill(&self, source: impl Read) {
        let mut source = BufReader::new(source);
        let ended = loop {
            let mut line = String::new();
            match source.by_ref().take(LINE_BYTES).read_line(&mut line) {
                Ok(0) => break "the process has ended".to_owned(),
                Ok(_) => {}
                Err(cause) => break format!("cannot read what it says: {cause}"),
            }
            if let Err(why) = self.take_line(&line) {
                break why;
            }
        };
        self.lock().ended = Some(ended);
        self.changed.notify_all();
    }

    /// Waits until the process runs.
    pub fn wait_started(&self, limit: Duration) -> Result<bool> {
        let started = self.wait(limit, |state| state.started.then_some(()))?;
        Ok(started.is_some())
    }

    /// Waits for the outcome of a command.
    pub fn outcome(&self, id: u64, limit: Duration) -> Result<()> {
        match self.wait(limit, |state| state.outcomes.remove(&id))? {
            Some(outcome) => outcome.map_err(Error::Jms),
            None => Err(Error::Jms(format!(
                "no answer to a command within {} s",
                limit.as_secs()
            ))),
        }
    }

    /// Takes the first event that `wanted` accepts, now or within `limit`.
    pub fn event(&self, limit: Duration, wanted: impl Fn(&Event) -> bool) -> Result<Option<Event>> {
        self.wait(limit, |state| {
            let at = state.events.iter().position(&wanted)?;
            state.events.remove(at)
        })
    }

    /// Takes all events that are there.
    pub fn drain(&self) -> Vec<Event> {
        self.lock().events.drain(..).collect()
    }

    fn take_line(&self, line: &str) -> std::result::Result<(), String> {
        let line =
            serde_json::from_str(line).map_err(|bad| format!("said what is no event: {bad}"))?;
        let mut state = self.lock();
        match line {
            Line::Started => state.started = true,
            Line::Done { id } => drop(state.outcomes.insert(id, Ok(()))),
            Line::Failed { id, message } => drop(state.outcomes.insert(id, Err(message))),
            Line::Message(received) => state.events.push_back(Event::Message(received)),
            Line::Ibex(event) => state.events.push_back(Event::Ibex(event)),
            Line::Lost { client, reason } => state.events.push_back(Event::Lost { client, reason }),
            Line::Unreadable { message } => state.events.push_back(Event::Unreadable(message)),
        }
        self.changed.notify_all();
        match state.events.len() > EVENTS {
            true => Err(format!("more than {EVENTS} events that nobody took")),
            false => Ok(()),
        }
    }

    fn wait<T>(
        &self,
        limit: Duration,
        mut look: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<Option<T>> {
        let end = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(found) = look(&mut state) {
                return Ok(Some(found));
            }
            if let Some(why) = &state.ended {
                return Err(Error::Jms(why.clone()));
            }
            wait::check_interrupt()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let woken = self.changed.wait_timeout(state, left.min(LOOK));
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: &str = r#"{"event":"lost","client":"a","reason":"gone"}"#;
    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn an_event_is_taken_once() {
        let inbox = Inbox::default();
        inbox.take_line(LOST).unwrap();
        assert!(inbox.event(SOON, |_| true).unwrap().is_some());
        assert_eq!(inbox.event(Duration::ZERO, |_| true).unwrap(), None);
    }

    #[test]
    fn unwanted_events_stay_for_others() {
        let inbox = Inbox::default();
        inbox.take_line(LOST).unwrap();
        assert_eq!(inbox.event(Duration::ZERO, |_| false).unwrap(), None);
        assert_eq!(inbox.drain().len(), 1);
    }

    #[test]
    fn a_failed_command_says_why() {
        let inbox = Inbox::default();
        inbox
            .take_line(r#"{"event":"failed","id":7,"message":"no such user"}"#)
            .unwrap();
        let error = inbox.outcome(7, SOON).unwrap_err();
        assert_eq!(error.to_string(), "JMS client: no such user");
    }

    #[test]
    fn waiting_for_a_process_that_has_ended_fails_at_once() {
        let inbox = Inbox::default();
        inbox.fill(format!("{LOST}\n").as_bytes());
        assert!(
            inbox.event(SOON, |_| true).unwrap().is_some(),
            "what it said is still there"
        );
        assert!(inbox.event(SOON, |_| true).is_err());
    }

    #[test]
    fn a_line_that_is_no_event_ends_the_reading() {
        let inbox = Inbox::default();
        inbox.fill("Exception in thread main\n".as_bytes());
        assert!(
            inbox
                .outcome(1, SOON)
                .unwrap_err()
                .to_string()
                .contains("no event")
        );
    }
}

//! `log`: what the script server says.

use std::time::Duration;

use patchbay_sdk::model::{Level, Log, LogLine};
use serde_json::{Value, json};

use crate::args::Patience;
use crate::complaint::{Complaint, Result};
use crate::desk::{self, Desk};
use crate::exit::Exit;
use crate::follow::{Outage, Seen, again};
use crate::interrupt;
use crate::screen::{Screen, log_line, now};
use crate::session::Session;
use crate::wire::{Cursor, Event, Failure};

const KINDS: &[&str] = &["log", "gap"];
/// How soon Ctrl-C is noticed.
const STEP: Duration = Duration::from_millis(50);
/// Messages that are looked through after a gap.
const LOOKED: u32 = 1000;

/// Shows the last messages.
pub(super) fn show(desk: &mut Desk, last: u32) -> Result<()> {
    let log: Log = desk.read("log", &json!({"last": last}))?;
    for line in &log.messages {
        print(&desk.screen, line)?;
    }
    Ok(())
}

/// Shows the last messages and then those that come, until Ctrl-C.
pub(super) fn follow(desk: &mut Desk, last: u32, patience: Patience) -> Result<Exit> {
    let (session, screen) = desk.both()?;
    interrupt::catch()?;
    let cursor = session.subscribe(KINDS, None)?;
    let mut tail = Tail {
        session,
        screen,
        seen: Seen::default(),
        cursor,
    };
    tail.look(last)?;
    while !interrupt::taken() {
        match tail.session.connection.next_event(STEP) {
            Ok(Some(event)) => tail.hear(&event)?,
            Ok(None) => {}
            Err(failure) => tail.again(failure, patience)?,
        }
    }
    Ok(Exit::GivenUp)
}

/// The end of the log, and what was shown of it.
struct Tail<'a> {
    session: &'a mut Session,
    screen: &'a Screen,
    seen: Seen,
    cursor: Option<Cursor>,
}

impl Tail<'_> {
    fn hear(&mut self, event: &Event) -> Result<()> {
        self.cursor = event.cursor().or(self.cursor);
        if event.kind == "gap" {
            return self.look(LOOKED);
        }
        let line = serde_json::from_value::<LogLine>(event.body.clone());
        let Some(mut line) = line.ok().filter(|_| event.kind == "log") else {
            return Ok(());
        };
        if !self.seen.told(&line) {
            return Ok(());
        }
        line.job.clone_from(&event.job);
        print(self.screen, &line)
    }

    /// What was not shown yet of the last messages.
    fn look(&mut self, last: u32) -> Result<()> {
        let log: Log = match self.session.ask("log", &json!({"last": last})) {
            // The connection is mended elsewhere, and then it is looked again.
            Err(Failure::Broken(_)) => return Ok(()),
            Err(Failure::Interrupted) => return Err(Complaint::interrupted("given up")),
            Err(Failure::Refused(refusal)) if refusal.kind == "too-large" => {
                desk::read("log", self.session.ask("log", &Value::Null)?)?
            }
            log => desk::read("log", log?)?,
        };
        for line in self.seen.looked(log.messages) {
            print(self.screen, &line)?;
        }
        Ok(())
    }

    fn again(&mut self, failure: Failure, patience: Patience) -> Result<()> {
        let why = Complaint::from(failure).message;
        let mut outage = Outage::new(patience.seconds);
        let kinds = (KINDS, self.cursor);
        self.cursor = again(self.session, self.screen, kinds, (&why, &mut outage))?;
        loop {
            match self.look(LOOKED) {
                Err(complaint) if complaint.kind == "unavailable" => outage.wait(complaint)?,
                looked => return looked,
            }
        }
    }
}

fn print(screen: &Screen, line: &LogLine) -> Result<()> {
    screen.record(&json!({"log": line}))?;
    // What a script is doing just now is of no interest later; the server itself does not keep it.
    if line.level == Level::Action {
        return Ok(());
    }
    screen.say(&log_line(line, Some(now())))
}

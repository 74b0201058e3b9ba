//! What people and scripts see: results on standard output, everything else on standard error.

mod bar;
mod clean;
mod log_line;
mod style;
mod table;
mod time;

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use crate::complaint::{Complaint, Result};

use bar::Bar;
pub(crate) use clean::clean;
pub(crate) use log_line::log_line;
pub(crate) use style::{BAD, DIM, GOOD, STRONG, WARN, paint};
pub(crate) use table::table;
pub(crate) use time::{ago, lasted, now};

/// Where everything is shown.
pub(crate) struct Screen {
    json: bool,
    bar: Bar,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        let bar = Bar::new(!json && io::stderr().is_terminal());
        Self { json, bar }
    }

    /// Whether a program reads the results.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether somebody can be asked something.
    pub(crate) fn is_interactive(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// The bar that shows how far a script is.
    pub(crate) fn bar(&mut self) -> &mut Bar {
        &mut self.bar
    }

    /// The answer to what was asked for: as JSON, or in words.
    pub(crate) fn answer(&self, answer: &Value, words: impl FnOnce() -> String) -> Result<()> {
        match self.json {
            true => self.record(&json!({"ok": answer})),
            false => self.say(&words()),
        }
    }

    /// A line for a program; people are not shown it.
    pub(crate) fn record(&self, record: &Value) -> Result<()> {
        match self.json {
            true => self.out(&record.to_string()),
            false => Ok(()),
        }
    }

    /// Lines for people, on standard output.
    pub(crate) fn say(&self, text: &str) -> Result<()> {
        match self.json || text.is_empty() {
            true => Ok(()),
            false => self.out(text.trim_end_matches('\n')),
        }
    }

    /// Something beside the result, for people, on standard error.
    pub(crate) fn note(&self, text: &str) {
        self.bar.aside(|| {
            // Nobody could be told that nobody can be told.
            let _ = writeln!(anstream::stderr(), "{text}");
        });
    }

    /// A question; the cursor stays behind it.
    pub(crate) fn question(&self, text: &str) {
        let mut error = anstream::stderr();
        let _ = write!(error, "{text} ").and_then(|()| error.flush());
    }

    /// Why something could not be done.
    pub(crate) fn complain(&self, complaint: &Complaint) {
        // A reader of standard output that has gone away wants to hear nothing.
        if complaint.kind == CLOSED {
            return;
        }
        let word = paint(BAD, "error:");
        self.note(&format!("{word} {}", clean(&complaint.message)));
        if let Some(advice) = &complaint.advice {
            self.note(&format!("       {}", clean(advice)));
        }
        let _ = self.record(&complaint.to_json());
    }

    fn out(&self, text: &str) -> Result<()> {
        self.bar.aside(|| {
            let mut out = anstream::stdout().lock();
            let written = writeln!(out, "{text}").and_then(|()| out.flush());
            written.map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => Complaint::closed(),
                _ => Complaint::local(format!("standard output cannot be written: {error}")),
            })
        })
    }
}

/// The kind of complaint when nobody reads standard output any more, as in `… | head`.
const CLOSED: &str = "closed";

impl Complaint {
    fn closed() -> Self {
        let mut complaint = Self::local("nobody reads standard output");
        complaint.kind = CLOSED.to_owned();
        complaint
    }
}

//! What happens meanwhile, shown above the line that is being typed.

use std::io::stdout;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::{AutoStream, ColorChoice};
use patchbay_sdk::model::{Level, LogLine};
use rustyline::ExternalPrinter;

use super::Input;
use crate::screen::{WARN, clean, log_line, paint};
use crate::wire::{Event, Tap};

type Printer = Box<dyn ExternalPrinter + Send>;

/// Shows events.
pub(super) struct Teller {
    printer: Mutex<Option<Printer>>,
    is_silent: AtomicBool,
    has_colours: bool,
}

impl Teller {
    /// Without a terminal nothing is shown.
    pub(super) fn new(is_terminal: bool, input: &mut Input) -> Self {
        let printer = input.create_external_printer().ok();
        let printer = printer.map(|printer| Box::new(printer) as Printer);
        Self {
            printer: Mutex::new(printer.filter(|_| is_terminal)),
            is_silent: AtomicBool::new(false),
            has_colours: AutoStream::choice(&stdout()) != ColorChoice::Never,
        }
    }

    /// Takes all events, unless it is to be silent.
    pub(super) fn tap(self: &Arc<Self>) -> Tap {
        let teller = self.clone();
        Arc::new(move |event| {
            let is_silent = teller.is_silent.load(Ordering::Acquire);
            if !is_silent && let Some(text) = text(event) {
                teller.print(&text);
            }
            !is_silent
        })
    }

    /// Leaves all events to somebody else meanwhile.
    pub(super) fn silent<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        self.is_silent.store(true, Ordering::Release);
        let done = meanwhile();
        self.is_silent.store(false, Ordering::Release);
        done
    }

    fn print(&self, text: &str) {
        let text = match self.has_colours {
            true => format!("{text}\n"),
            false => format!("{}\n", anstream::adapter::strip_str(text)),
        };
        let mut printer = self.printer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(printer) = &mut *printer {
            // What cannot be shown is still in the log.
            let _ = printer.print(text);
        }
    }
}

/// What people are told of it, if anything.
fn text(event: &Event) -> Option<String> {
    match event.kind.as_str() {
        "log" => {
            let line: LogLine = serde_json::from_value(event.body.clone()).ok()?;
            let is_shown = !matches!(line.level, Level::Action | Level::Input);
            is_shown.then(|| log_line(&line, None))
        }
        "prompt" => {
            let asks = format!("the script asks: {}", clean(event.text("text")?));
            Some(paint(WARN, asks + "  (`answer` answers)"))
        }
        "link" if event.text("link") == Some("down") => {
            let cause = clean(event.text("cause").unwrap_or_default()).into_owned();
            Some(paint(
                WARN,
                format_args!("the script server cannot be reached: {cause}"),
            ))
        }
        "gap" => Some(paint(
            WARN,
            "(some messages are missing here; `log` shows them)",
        )),
        _ => None,
    }
}

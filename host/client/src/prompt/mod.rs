//! The prompt: verbs and expressions, one line after the other, with a history.

mod helper;
mod line;
mod teller;

use std::io::{IsTerminal, stdin};
use std::sync::Arc;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{Config, Editor};

use crate::args::Verb;
use crate::complaint::{Complaint, Result};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::screen::{DIM, paint};
use crate::session::KINDS;
use crate::{interrupt, saved, verbs};

use helper::Words;
use line::Line;
use teller::Teller;

const PROMPT: &str = "patchbay> ";
const HISTORY: usize = 1000;
const HINT: &str = "`help` lists what can be said, Tab completes it, Ctrl-D leaves";

type Input = Editor<Words, FileHistory>;

/// Asks for lines until there are no more.
pub(crate) fn run(desk: &mut Desk) -> Result<Exit> {
    interrupt::catch()?;
    let mut input = editor().map_err(unusable)?;
    let is_terminal = stdin().is_terminal() && !desk.screen.is_json();
    let teller = Arc::new(Teller::new(is_terminal, &mut input));
    desk.tap(teller.tap());
    if is_terminal {
        enter(desk)?;
        verbs::status(desk)?;
        desk.screen.note(&paint(DIM, HINT));
    }
    loop {
        match input.readline(PROMPT) {
            Ok(line) => {
                remember(&mut input, &line);
                match obey(desk, &teller, &line) {
                    Ok(true) => {}
                    Ok(false) => return Ok(Exit::Done),
                    // A list of lines in a file is a script: what comes after a mistake makes no sense.
                    Err(complaint) if !is_terminal => return Err(complaint),
                    Err(complaint) => desk.screen.complain(&complaint),
                }
            }
            Err(ReadlineError::Interrupted) => desk.screen.note(&paint(DIM, "Ctrl-D leaves")),
            Err(ReadlineError::Eof) => return Ok(Exit::Done),
            Err(error) => return Err(unusable(error)),
        }
    }
}

fn editor() -> rustyline::Result<Input> {
    let config = Config::builder().max_history_size(HISTORY)?;
    let config = config.auto_add_history(false).history_ignore_space(true);
    let mut input = Input::with_config(
        config
            .completion_type(rustyline::CompletionType::List)
            .build(),
    )?;
    input.set_helper(Some(Words::default()));
    // Without a history one can still type.
    if let Some(file) = saved::history() {
        let _ = input.load_history(&file);
    }
    Ok(input)
}

fn remember(input: &mut Input, line: &str) {
    let added = !line.trim().is_empty() && input.add_history_entry(line).unwrap_or(false);
    if let Some(file) = saved::history().filter(|_| added && stdin().is_terminal()) {
        let folder = file.parent().map(std::fs::create_dir_all);
        if folder.is_some_and(|made| made.is_ok()) {
            let _ = input.save_history(&file);
        }
    }
}

/// Does what a line says; whether there may be another one.
fn obey(desk: &mut Desk, teller: &Teller, line: &str) -> Result<bool> {
    // What was pressed before is no wish about what comes now.
    interrupt::taken();
    match line::read(line)? {
        Line::Nothing => {}
        Line::Leave => return Ok(false),
        Line::Help(text) => desk.screen.say(&text)?,
        Line::Expression(code) => {
            enter(desk)?;
            verbs::eval(desk, &code)?;
        }
        Line::Verb(verb) => obey_verb(desk, teller, verb)?,
    }
    Ok(true)
}

fn obey_verb(desk: &mut Desk, teller: &Teller, verb: Verb) -> Result<()> {
    if matches!(verb, Verb::Login { .. } | Verb::Logout) {
        return verbs::run(verb, desk).map(|_| ());
    }
    enter(desk)?;
    let watches = match &verb {
        Verb::Submit(submit) => !submit.queue,
        Verb::Watch { .. } | Verb::Log { follow: true, .. } => true,
        _ => false,
    };
    if !watches {
        return verbs::run(verb, desk).map(|_| ());
    }
    // Events are the verb's own meanwhile, which subscribes to what it needs.
    let done = teller.silent(|| verbs::run(verb, desk));
    if done.is_err() {
        desk.leave();
    } else {
        desk.session()?.subscribe(KINDS, None)?;
    }
    done.map(|_| ())
}

/// Sees to it that there is a session, and that it hears events.
fn enter(desk: &mut Desk) -> Result<()> {
    if !desk.has_session() {
        desk.session()?.subscribe(KINDS, None)?;
    }
    Ok(())
}

fn unusable(error: ReadlineError) -> Complaint {
    Complaint::local(format!("no lines can be read: {error}"))
}

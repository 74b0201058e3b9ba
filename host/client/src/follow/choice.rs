//! What somebody means who presses Ctrl-C.

use std::time::Duration;

use super::question::{Question, typed};
use crate::interrupt;
use crate::screen::Screen;

/// How soon another Ctrl-C is noticed.
const STEP: Duration = Duration::from_millis(50);

/// What is to become of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It is to be stopped.
    Stop,
    /// It goes on, and nobody watches it here.
    Leave,
    /// Nothing was meant.
    GoOn,
}

impl Choice {
    /// What was typed means, if it is an answer; the end of all input is none to stop anything for.
    pub(super) fn read(typed: Option<&str>) -> Option<Self> {
        match typed {
            Some("s" | "S" | "stop") => Some(Self::Stop),
            Some("w" | "W" | "watch") => Some(Self::Leave),
            Some("" | "g" | "go") | None => Some(Self::GoOn),
            Some(_) => None,
        }
    }
}

/// Asks after Ctrl-C, and waits for what is typed; where nobody can be asked, and after a second one, it is to leave.
pub(crate) fn choose(screen: &Screen) -> Choice {
    if !screen.is_interactive() {
        return Choice::Leave;
    }
    screen.note("");
    let question = Question::WhatNow { waiting: 0 }.text();
    screen.question(&question);
    loop {
        if interrupt::taken() {
            screen.note("");
            return Choice::Leave;
        }
        let Some(line) = typed(STEP) else {
            continue;
        };
        match Choice::read(line.as_deref()) {
            Some(choice) => return choice,
            None => screen.question(&question),
        }
    }
}

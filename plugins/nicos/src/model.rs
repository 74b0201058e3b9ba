//! NICOS's values in the form of the neutral model.

use patchbay_sdk::model::{Level, LogLine, QueuedJob};

use crate::shape::{Message, Request};

impl From<Message> for LogLine {
    fn from(Message(logger, time, level, mut text, traceback, job): Message) -> Self {
        if text.ends_with('\n') {
            text.pop();
        }
        let job = job.filter(|id| !id.is_empty());
        Self {
            time,
            level: self::level(level),
            logger,
            text,
            job,
            traceback,
        }
    }
}

fn level(number: i64) -> Level {
    match number {
        ..=19 => Level::Debug,
        21 => Level::Action,
        26 => Level::Input,
        20..=29 => Level::Info,
        30..=39 => Level::Warning,
        _ => Level::Error,
    }
}

impl From<Request> for QueuedJob {
    fn from(request: Request) -> Self {
        Self {
            id: request.reqid,
            name: request.name.filter(|name| !name.is_empty()),
            user: request.user,
            body: request.script.unwrap_or_default().into(),
            external: false,
        }
    }
}

/// A line counted from 1, where NICOS says one.
pub(crate) fn line(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|line| *line > 0)
}

//! `getmessages`.

use patchbay_sdk::model::{Level, LogLine};
use patchbay_sdk::{Fault, RawJson};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Native, read};

/// Clients find what is new by its time, so that no two messages may have the same one. Seconds.
const APART: f64 = 1e-6;

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(default)]
    messages: Vec<LogLine>,
    #[serde(borrow, default)]
    native: Option<Native<'a>>,
}

/// A list of `[logger, time, level, text + "\n", traceback|null, reqid]`: NICOS's own, unparsed, or made from the model.
pub(super) fn messages(body: &RawJson) -> Result<RawJson, Fault> {
    let log: Log<'_> = read(body)?;
    if let Some(own) = log.native.and_then(|native| native.nicos) {
        return Ok(own.to_owned().into());
    }
    let mut latest = f64::MIN;
    let messages = log.messages.into_iter().map(|message| {
        latest = message.time.max(latest + APART);
        in_nicos_form(message, latest)
    });
    RawJson::new(&messages.collect::<Vec<_>>())
}

fn in_nicos_form(message: LogLine, time: f64) -> Value {
    let end = if message.text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    json!([
        message.logger,
        time,
        number(message.level),
        format!("{}{end}", message.text),
        message.traceback,
        message.job.unwrap_or_default(),
    ])
}

fn number(level: Level) -> u8 {
    match level {
        Level::Debug => 10,
        Level::Info => 20,
        Level::Action => 21,
        Level::Input => 26,
        Level::Warning => 30,
        Level::Error => 40,
    }
}

//! `getmessages`.

use patchbay_sdk::{Fault, RawJson};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Native, read};

/// Clients find what is new by its time, so that no two messages may have the same one. Seconds.
const APART: f64 = 1e-6;

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(borrow, default)]
    native: Option<Native<'a>>,
}

#[derive(Deserialize)]
struct Message {
    time: f64,
    #[serde(default)]
    level: String,
    #[serde(default)]
    logger: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    job: Option<String>,
    #[serde(default)]
    traceback: Option<String>,
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
        message.in_nicos_form(latest)
    });
    RawJson::new(&messages.collect::<Vec<_>>())
}

impl Message {
    fn in_nicos_form(self, time: f64) -> Value {
        let end = if self.text.ends_with('\n') { "" } else { "\n" };
        json!([
            self.logger,
            time,
            level(&self.level),
            format!("{}{end}", self.text),
            self.traceback,
            self.job.unwrap_or_default(),
        ])
    }
}

fn level(name: &str) -> u8 {
    match name {
        "debug" => 10,
        "action" => 21,
        "input" => 26,
        "warning" => 30,
        "error" => 40,
        _ => 20,
    }
}

//! `getstatus` and `getscript`.

use patchbay_sdk::{Fault, FaultKind, RawJson};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Native, read};

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    stale: Option<String>,
    #[serde(default)]
    run: String,
    #[serde(default)]
    job: Option<Job>,
    #[serde(default)]
    queue: Vec<Job>,
    #[serde(default)]
    last: Option<Job>,
    #[serde(borrow, default)]
    native: Option<Native<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Job {
    id: Option<String>,
    name: Option<String>,
    body: Option<String>,
    user: Option<String>,
    line: Option<i64>,
}

/// NICOS's own status where there is one, unparsed; else made from the model.
pub(super) fn status(body: &RawJson) -> Result<RawJson, Fault> {
    let status = present(body)?;
    match status.native.as_ref().and_then(|native| native.nicos) {
        Some(own) => Ok(own.to_owned().into()),
        None => RawJson::new(&status.in_nicos_form()),
    }
}

/// The text of the running or, like NICOS, the last script.
pub(super) fn script(body: &RawJson) -> Result<RawJson, Fault> {
    #[derive(Deserialize)]
    struct Own<'a> {
        #[serde(borrow)]
        script: &'a RawValue,
    }
    let status = present(body)?;
    let own = status.native.as_ref().and_then(|native| native.nicos);
    match own.and_then(|own| serde_json::from_str::<Own<'_>>(own.get()).ok()) {
        Some(own) => Ok(own.script.to_owned().into()),
        None => RawJson::new(
            status
                .shown()
                .and_then(|job| job.body.as_deref())
                .unwrap_or_default(),
        ),
    }
}

/// NICOS's form has no place for an age: what is known of a server that is away would look like one that is there.
fn present(body: &RawJson) -> Result<Status<'_>, Fault> {
    let status: Status<'_> = read(body)?;
    match status.stale {
        Some(why) if status.link.as_deref() != Some("up") => {
            Err(Fault::new(FaultKind::Unavailable, why))
        }
        _ => Ok(status),
    }
}

impl Status<'_> {
    fn in_nicos_form(&self) -> Value {
        let code = code(&self.run);
        let line = self
            .job
            .as_ref()
            .and_then(|job| job.line)
            .unwrap_or(if code < 0 { -1 } else { 0 });
        let shown = self.shown();
        json!({
            "status": [code, line],
            "script": shown.and_then(|job| job.body.as_deref()).unwrap_or_default(),
            "scriptname": shown.and_then(|job| job.name.as_deref()).unwrap_or_default(),
            "requests": self.queue.iter().map(Job::request).collect::<Vec<_>>(),
            "eta": [0, 0],
            "watch": {},
            "mode": "master",
            "setups": [[], []],
            "devices": [],
            "devicefailures": {},
        })
    }

    fn shown(&self) -> Option<&Job> {
        self.job.as_ref().or(self.last.as_ref())
    }
}

impl Job {
    fn request(&self) -> Value {
        json!({
            "reqid": self.id.as_deref().unwrap_or_default(),
            "name": self.name.as_deref().unwrap_or_default(),
            "script": self.body.as_deref().unwrap_or_default(),
            "user": self.user.as_deref().unwrap_or_default(),
        })
    }
}

/// NICOS's code of a run state. It has none for a server that cannot say how it is; -2 is the one that shows that
/// something is wrong.
fn code(run: &str) -> i64 {
    match run {
        "idle" => -1,
        "running" | "starting" | "pausing" => 0,
        "paused" => 1,
        "stopping" => 2,
        _ => -2,
    }
}

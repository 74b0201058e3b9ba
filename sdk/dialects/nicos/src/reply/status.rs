//! `getstatus` and `getscript`.

use patchbay_sdk::model::{JobRecord, LinkState, QueuedJob, Run, RunningJob};
use patchbay_sdk::{Fault, FaultKind, RawJson};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Native, read};

/// As [`patchbay_sdk::model::Status`], but for what is not copied, and what the host adds.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    link: LinkState,
    stale: Option<String>,
    run: Run,
    job: Option<RunningJob>,
    queue: Vec<QueuedJob>,
    last: Option<JobRecord>,
    #[serde(borrow)]
    native: Option<Native<'a>>,
}

/// The script that is shown: the running or, like NICOS, the last one.
#[derive(Default)]
struct Shown<'a> {
    name: Option<&'a str>,
    text: Option<&'a str>,
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
        None => RawJson::new(status.shown().text.unwrap_or_default()),
    }
}

/// NICOS's form has no place for an age: what is known of a server that is away would look like one that is there.
fn present(body: &RawJson) -> Result<Status<'_>, Fault> {
    let status: Status<'_> = read(body)?;
    match status.stale {
        Some(why) if status.link != LinkState::Up => Err(Fault::new(FaultKind::Unavailable, why)),
        _ => Ok(status),
    }
}

impl Status<'_> {
    fn in_nicos_form(&self) -> Value {
        let code = code(self.run);
        let line = match self.job.as_ref().and_then(|job| job.line) {
            Some(line) => json!(line),
            None => json!(if code < 0 { -1 } else { 0 }),
        };
        let shown = self.shown();
        json!({
            "status": [code, line],
            "script": shown.text.unwrap_or_default(),
            "scriptname": shown.name.unwrap_or_default(),
            "requests": self.queue.iter().map(request).collect::<Vec<_>>(),
            "eta": [0, 0],
            "watch": {},
            "mode": "master",
            "setups": [[], []],
            "devices": [],
            "devicefailures": {},
        })
    }

    fn shown(&self) -> Shown<'_> {
        match (&self.job, &self.last) {
            (Some(job), _) => Shown {
                name: job.name.as_deref(),
                text: Some(&job.body),
            },
            (None, Some(last)) => Shown {
                name: last.name.as_deref(),
                text: last.body.as_deref(),
            },
            (None, None) => Shown::default(),
        }
    }
}

fn request(job: &QueuedJob) -> Value {
    json!({
        "reqid": job.id,
        "name": job.name.as_deref().unwrap_or_default(),
        "script": &*job.body,
        "user": job.user.as_deref().unwrap_or_default(),
    })
}

/// NICOS's code of a run state. It has none for a server that cannot say how it is; -2 is the one that shows that
/// something is wrong.
fn code(run: Run) -> i64 {
    match run {
        Run::Idle => -1,
        Run::Running | Run::Starting | Run::Pausing => 0,
        Run::Paused => 1,
        Run::Stopping => 2,
        Run::IdleAfterFailure | Run::Wedged | Run::Unknown => -2,
    }
}

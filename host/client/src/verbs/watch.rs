//! `watch`: stays with a script that was submitted before.

use patchbay_sdk::model::JobRecord;
use serde_json::{Value, json};

use super::job;
use crate::args::Patience;
use crate::complaint::Result;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::follow::{Script, Watcher};
use crate::interrupt;
use crate::model::{Status, name_or_id};
use crate::session::KINDS;

/// Watches it; the exit status says how it ended.
pub(super) fn watch(desk: &mut Desk, said: &str, patience: Patience) -> Result<Exit> {
    let job = job::find(desk, said)?;
    let known: JobRecord = desk.read("job", &json!({"job": job}))?;
    let status: Status = desk.read("status", &Value::Null)?;
    let running = status
        .job
        .filter(|running| running.id.as_ref() == Some(&job));
    let waiting = status.queue.into_iter().find(|waiting| waiting.id == job);
    let code = running.map(|running| running.body);
    let code = code.or(waiting.map(|waiting| waiting.body));
    let name = name_or_id(known.name.as_deref(), &job).to_owned();
    let code = code.unwrap_or_default();
    let script = Script { job, name, code };
    let (session, screen) = desk.both()?;
    interrupt::catch()?;
    let cursor = session.subscribe(KINDS, None)?;
    Watcher::new(session, screen, script, cursor, patience.seconds).join()
}

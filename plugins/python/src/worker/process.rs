//! The Python process, with its program and its limits.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use patchbay_child::process::{self, Started};
use serde_json::json;

use crate::config::Settings;

/// Written into the instance's folder at each start.
const PROGRAM: &str = include_str!("worker.py");

/// Starts a worker; the way to it is its standard input.
pub(super) async fn start(settings: &Settings) -> Result<(Started, UnixStream), String> {
    let interpreter = settings.interpreter.display().to_string();
    let no_way = |error| format!("no way to `{interpreter}`: {error}");
    let (link, theirs) = UnixStream::pair().map_err(no_way)?;
    let (settings, theirs) = (settings.clone(), OwnedFd::from(theirs));
    let command = move || command(&settings, theirs);
    let failed = move |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!(
            "there is no program `{interpreter}`; install Python 3.9 or newer, or set `interpreter` to where it is"
        ),
        _ => format!("cannot start `{interpreter}`: {error}"),
    };
    let started = process::start("python-worker", command, failed).await?;
    Ok((started, link))
}

fn command(settings: &Settings, link: OwnedFd) -> Result<Command, String> {
    let program = settings.folder.join("worker.py");
    write(&program).map_err(|error| format!("cannot write {}: {error}", program.display()))?;
    let mut command = Command::new(&settings.interpreter);
    command.args(["-I", "-u"]).arg(&program);
    command.arg(limits(settings));
    command.env_clear().envs(&settings.environment);
    command.stdin(Stdio::from(link));
    Ok(command)
}

/// Whole or not at all; and not where it is there already, since the disk may be full.
fn write(program: &Path) -> std::io::Result<()> {
    if std::fs::read(program).is_ok_and(|there| there == PROGRAM.as_bytes()) {
        return Ok(());
    }
    let new = program.with_extension("new");
    std::fs::write(&new, PROGRAM)?;
    std::fs::rename(new, program)
}

fn limits(settings: &Settings) -> String {
    json!({
        "line_bytes": settings.line_bytes,
        "output_bytes": settings.output_bytes,
        "value_bytes": settings.value_bytes,
        "memory_bytes": settings.memory_bytes,
        "asides": settings.eval_most,
        "work_folder": settings.work_folder,
        "module_path": settings.module_path,
        "lock": settings.folder.join("worker.lock"),
    })
    .to_string()
}

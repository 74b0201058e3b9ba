//! What an operator says of a program: how it is run, and its limits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, field_within, wrong_field};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::bounds::Bounds;
use crate::environment::environment;

/// A program that speaks in lines of JSON. Only `command` has no default.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program and its arguments, each by itself; no shell reads them. The program is a name that is looked up in
    /// `PATH`, or a path.
    pub command: Vec<String>,
    /// The folder in which it runs. Without it: that of the gateway.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// Variables of the gateway's environment that it sees, beside `PATH`, `HOME`, `USER`, `LOGNAME`, `LANG`, `LC_ALL`,
    /// `LC_CTYPE`, `TZ` and `TMPDIR`. The others may be somebody's passwords.
    #[serde(default)]
    pub environment_keep: Vec<String>,
    /// More variables for it.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Its own configuration, as it likes; handed over with its `start`.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Its longest message, in bytes of its line.
    #[serde(default = "defaults::line_bytes")]
    pub line_bytes: usize,
    /// Most bytes that wait until it reads them; what finds no room is refused as `unavailable`.
    #[serde(default = "defaults::unread_bytes")]
    pub unread_bytes: usize,
    /// Deepest nesting of what it is sent, in arrays and objects within each other; what is deeper is refused as `too-large`.
    #[serde(default = "defaults::nesting_most")]
    pub nesting_most: usize,
    /// Longest number in what it is sent, in digits; likewise.
    #[serde(default = "defaults::digits_most")]
    pub digits_most: usize,
    /// Most requests that are not answered yet, in either direction; further ones are refused as `busy`.
    /// Urgent ones have as many places of their own, and an emergency stop is never refused.
    #[serde(default = "defaults::outstanding_most")]
    pub outstanding_most: usize,
    /// How long it may take until it says `ready`, in seconds; then it is killed. `start_deadline_s` of the gateway must be
    /// longer.
    #[serde(default = "defaults::start_seconds")]
    pub start_seconds: f64,
    /// How long it may take to end once it is told to `stop`, in seconds; then it is killed. The gateway's own
    /// `shutdown_deadline_s` may leave it less.
    #[serde(default = "defaults::stop_seconds")]
    pub stop_seconds: f64,
    /// How long it may leave a `ping` without an answer, in seconds; then it is killed. 0: it is never asked.
    #[serde(default = "defaults::hang_seconds")]
    pub hang_seconds: f64,
    /// Most lines in a minute that are no messages; with one more it is killed.
    #[serde(default = "defaults::nonsense_most")]
    pub nonsense_most: u32,
    /// Longest line of its standard error, in bytes; the rest of it is cut off.
    #[serde(default = "defaults::stderr_line_bytes")]
    pub stderr_line_bytes: usize,
    /// Most lines of its standard error in a second; the rest is left out.
    #[serde(default = "defaults::stderr_lines_per_second")]
    pub stderr_lines_per_second: u32,
}

mod defaults {
    pub(super) fn line_bytes() -> usize {
        4 << 20
    }
    pub(super) fn unread_bytes() -> usize {
        16 << 20
    }
    pub(super) fn nesting_most() -> usize {
        100
    }
    pub(super) fn digits_most() -> usize {
        1000
    }
    pub(super) fn outstanding_most() -> usize {
        64
    }
    pub(super) fn start_seconds() -> f64 {
        20.0
    }
    pub(super) fn stop_seconds() -> f64 {
        5.0
    }
    pub(super) fn hang_seconds() -> f64 {
        60.0
    }
    pub(super) fn nonsense_most() -> u32 {
        10
    }
    pub(super) fn stderr_line_bytes() -> usize {
        4096
    }
    pub(super) fn stderr_lines_per_second() -> u32 {
        100
    }
}

/// A [`Program`], checked and in the units that the code uses.
#[derive(Clone)]
pub struct Settings {
    command: Vec<String>,
    folder: Option<PathBuf>,
    environment: BTreeMap<String, String>,
    /// As JSON.
    pub(crate) config: String,
    pub(crate) line_bytes: usize,
    pub(crate) unread_bytes: usize,
    pub(crate) bounds: Bounds,
    /// See [`Program::outstanding_most`].
    pub outstanding_most: usize,
    pub(crate) start_limit: Duration,
    pub(crate) stop_limit: Duration,
    pub(crate) hang_limit: Option<Duration>,
    pub(crate) nonsense_most: u32,
    pub(crate) stderr_line_bytes: usize,
    pub(crate) stderr_lines_per_second: u32,
    /// Whether it knows passwords: then nothing that it says in a wrong place is repeated.
    pub(crate) knows_secrets: bool,
}

impl Program {
    /// Checks every number.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what it must be.
    pub fn resolve(self, knows_secrets: bool) -> Result<Settings, Fault> {
        if self.command.first().is_none_or(String::is_empty) {
            let must_be =
                r#"a program and its arguments, such as ["python3", "/opt/lab/magnet.py"]"#;
            return Err(wrong_field("program.command", must_be));
        }
        let folder = self.folder.as_deref().map(absolute).transpose()?;
        let bounds = Bounds {
            nesting: within("nesting_most", self.nesting_most, 10, 100_000)?,
            digits: within("digits_most", self.digits_most, 20, 1_000_000)?,
        };
        let config = Value::Object(self.config).to_string();
        let must_be = "within `program.nesting_most` and `program.digits_most`";
        bounds
            .check(config.as_bytes())
            .map_err(|_| wrong_field("program.config", must_be))?;
        Ok(Settings {
            command: self.command,
            folder,
            environment: environment(&self.environment_keep, self.environment),
            config,
            line_bytes: within("line_bytes", self.line_bytes, 1024, 64 << 20)?,
            unread_bytes: within("unread_bytes", self.unread_bytes, 1024, 1 << 30)?,
            bounds,
            outstanding_most: within("outstanding_most", self.outstanding_most, 1, 10_000)?,
            start_limit: seconds("start_seconds", self.start_seconds)?,
            stop_limit: seconds("stop_seconds", self.stop_seconds)?,
            hang_limit: match self.hang_seconds == 0.0 {
                true => None,
                false => Some(seconds("hang_seconds", self.hang_seconds)?),
            },
            nonsense_most: rate("nonsense_most", self.nonsense_most)?,
            stderr_line_bytes: within("stderr_line_bytes", self.stderr_line_bytes, 64, 16 << 10)?,
            stderr_lines_per_second: rate("stderr_lines_per_second", self.stderr_lines_per_second)?,
            knows_secrets,
        })
    }
}

fn absolute(folder: &Path) -> Result<PathBuf, Fault> {
    std::path::absolute(folder).map_err(|_| wrong_field("program.folder", "the path of a folder"))
}

fn within(field: &str, value: usize, least: u64, most: u64) -> Result<usize, Fault> {
    field_within(&format!("program.{field}"), value as u64, least, most)?;
    Ok(value)
}

fn rate(field: &str, value: u32) -> Result<u32, Fault> {
    field_within(&format!("program.{field}"), value.into(), 1, 100_000)?;
    Ok(value)
}

fn seconds(field: &str, value: f64) -> Result<Duration, Fault> {
    match (0.1..=86_400.0).contains(&value) {
        true => Ok(Duration::from_secs_f64(value)),
        false => {
            let field = format!("program.{field}");
            Err(wrong_field(&field, "between 0.1 and 86400 seconds"))
        }
    }
}

impl Settings {
    /// What it is called in what people read.
    pub(crate) fn name(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    pub(crate) fn command(&self) -> Result<Command, String> {
        let mut command = Command::new(self.name());
        command.args(self.command.iter().skip(1));
        command.env_clear().envs(&self.environment);
        command.stdin(Stdio::piped());
        if let Some(folder) = &self.folder {
            if !folder.is_dir() {
                let shown = folder.display();
                return Err(format!("there is no folder {shown} (`program.folder`)"));
            }
            command.current_dir(folder);
        }
        Ok(command)
    }

    /// Why it could not be started.
    pub(crate) fn not_started(&self, error: &std::io::Error) -> String {
        let name = self.name();
        match error.kind() {
            std::io::ErrorKind::NotFound => format!(
                "there is no program `{name}`; set `program.command` to where it is, or mend its first line (`#!`)"
            ),
            std::io::ErrorKind::PermissionDenied => {
                format!(
                    "`{name}` may not be run; `chmod +x` it, or name what runs it first: [\"python3\", \"{name}\"]"
                )
            }
            _ => format!("cannot start `{name}`: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(json: &str) -> Result<Settings, String> {
        let program: Program = serde_json::from_str(json).map_err(|error| error.to_string())?;
        program.resolve(false).map_err(|fault| fault.message)
    }

    #[test]
    fn a_mistake_names_its_field() {
        for (json, field) in [
            (r#"{"command":[]}"#, "program.command"),
            (r#"{"command":[""]}"#, "program.command"),
            (r#"{"command":["x"],"comand":1}"#, "comand"),
            (r#"{"command":["x"],"line_bytes":1}"#, "program.line_bytes"),
            (
                r#"{"command":["x"],"stop_seconds":0}"#,
                "program.stop_seconds",
            ),
            (
                r#"{"command":["x"],"config":{"a":[[[[[[[[[[1]]]]]]]]]]},"nesting_most":10}"#,
                "program.config",
            ),
            (
                r#"{"command":["x"],"nonsense_most":0}"#,
                "program.nonsense_most",
            ),
        ] {
            let error = resolve(json).err().unwrap();
            assert!(error.contains(field), "{json}: {error}");
        }
    }

    #[test]
    fn it_sees_the_usual_variables_and_those_that_are_named() {
        let json = r#"{"command":["x"],"environment":{"LAB":"1"},"environment_keep":["CARGO_MANIFEST_DIR"]}"#;
        let seen = resolve(json).unwrap().environment;
        assert!(seen.contains_key("PATH") && seen.contains_key("CARGO_MANIFEST_DIR"));
        assert_eq!(seen["LAB"], "1");
        assert!(!seen.contains_key("CARGO_PKG_NAME"), "and no others");
    }
}

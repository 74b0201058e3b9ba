//! The configuration, checked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use patchbay_child::environment::environment;
use patchbay_sdk::{Fault, Role, field_within, wrong_field};

use super::{Config, Namespace, OnFailure, OnRestart, OnStop, User};

const MIB: u64 = 1 << 20;

/// The configuration, checked and in the units that the code uses; each field as in [`Config`].
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields of `Config` have the words")]
pub struct Settings {
    pub folder: PathBuf,
    pub interpreter: PathBuf,
    pub work_folder: PathBuf,
    pub module_path: Vec<PathBuf>,
    pub environment: BTreeMap<String, String>,
    pub anyone: Option<Role>,
    pub users: BTreeMap<String, User>,
    pub namespace: Namespace,
    pub on_restart: OnRestart,
    pub on_failure: OnFailure,
    pub on_stop: OnStop,
    pub memory_bytes: u64,
    pub script_limit: Option<Duration>,
    pub script_bytes: usize,
    pub name_bytes: usize,
    pub queue_most: usize,
    pub queue_bytes: usize,
    pub history_most: usize,
    pub line_bytes: usize,
    pub output_bytes: usize,
    pub log_bytes: usize,
    pub value_bytes: usize,
    pub eval_limit: Duration,
    pub eval_most: usize,
    pub abort_grace: Duration,
    pub emergency_grace: Duration,
    pub start_limit: Duration,
    pub retry_first: Duration,
    pub retry_most: Duration,
}

impl Config {
    /// Checks every number, and makes paths absolute.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what it must be.
    pub fn resolve(self) -> Result<Settings, Fault> {
        if self.memory_mib != 0 {
            field_within("memory_mib", self.memory_mib, 64, 1 << 24)?;
        }
        let folder = absolute("folder", &self.folder)?;
        let work = self.work_folder.unwrap_or_else(|| folder.join("work"));
        let retry_first = seconds("retry_first_seconds", self.retry_first_seconds)?;
        let modules = self.module_path.iter();
        Ok(Settings {
            work_folder: absolute("work_folder", &work)?,
            module_path: modules
                .map(|path| absolute("module_path", path))
                .collect::<Result<_, _>>()?,
            environment: environment(&self.environment_keep, self.environment),
            memory_bytes: self.memory_mib * MIB,
            script_limit: match self.script_seconds == 0.0 {
                true => None,
                false => Some(seconds("script_seconds", self.script_seconds)?),
            },
            script_bytes: within("script_bytes", self.script_bytes, 1024, 64 << 20)?,
            name_bytes: within("name_bytes", self.name_bytes, 16, 64 << 10)?,
            queue_most: within("queue_most", self.queue_most, 1, 100_000)?,
            queue_bytes: within("queue_bytes", self.queue_bytes, 1024, 1 << 30)?,
            history_most: within("history_most", self.history_most, 10, 1_000_000)?,
            line_bytes: within("line_bytes", self.line_bytes, 256, 1 << 20)?,
            output_bytes: within("output_bytes", self.output_bytes, 4096, 1 << 30)?,
            log_bytes: within("log_bytes", self.log_bytes, 64 << 10, 1 << 30)?,
            value_bytes: within("value_bytes", self.value_bytes, 1024, 16 << 20)?,
            eval_limit: seconds("eval_seconds", self.eval_seconds)?,
            eval_most: within("eval_most", self.eval_most, 1, 64)?,
            abort_grace: seconds("abort_seconds", self.abort_seconds)?,
            emergency_grace: seconds("emergency_seconds", self.emergency_seconds)?,
            start_limit: seconds("start_seconds", self.start_seconds)?,
            retry_most: seconds("retry_most_seconds", self.retry_most_seconds)?.max(retry_first),
            retry_first,
            folder,
            interpreter: self.interpreter,
            anyone: self.anyone,
            users: self.users,
            namespace: self.namespace,
            on_restart: self.on_restart,
            on_failure: self.on_failure,
            on_stop: self.on_stop,
        })
    }
}

impl Settings {
    /// The longest message from the worker, in bytes: a value, a line or a traceback, in which any character may be
    /// written as six.
    #[must_use]
    pub fn message_bytes(&self) -> usize {
        6 * self.value_bytes.max(4 * self.line_bytes).max(64 << 10) + (64 << 10)
    }
}

fn absolute(field: &str, path: &std::path::Path) -> Result<PathBuf, Fault> {
    std::path::absolute(path).map_err(|_| wrong_field(field, "the path of a folder"))
}

fn within(field: &str, value: usize, least: u64, most: u64) -> Result<usize, Fault> {
    field_within(field, value as u64, least, most)?;
    Ok(value)
}

/// Between a hundredth of a second and a year.
fn seconds(field: &str, value: f64) -> Result<Duration, Fault> {
    match (0.01..=31_536_000.0).contains(&value) {
        true => Ok(Duration::from_secs_f64(value)),
        false => Err(wrong_field(field, "between 0.01 and 31536000 seconds")),
    }
}

//! What an operator can set.

mod settings;

use std::collections::BTreeMap;
use std::path::PathBuf;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Role, SecretSource};
use serde::Deserialize;

pub use settings::Settings;

/// `[backend.config]` of a Python backend. Only `folder` has no default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the queue and the history are kept, one folder for each instance; it is made if it is not there.
    pub folder: PathBuf,
    /// The Python to run scripts with, 3.9 or newer: a name that is looked up in `PATH`, or a path, such as that of a
    /// virtual environment's `bin/python`.
    #[serde(default = "defaults::interpreter")]
    pub interpreter: PathBuf,
    /// The folder in which scripts run. Without it: `work` in `folder`.
    #[serde(default)]
    pub work_folder: Option<PathBuf>,
    /// Folders with modules that scripts may import.
    #[serde(default)]
    pub module_path: Vec<PathBuf>,
    /// Variables of the gateway's environment that scripts see, beside `PATH`, `HOME`, `USER`, `LOGNAME`, `LANG`, `LC_ALL`,
    /// `LC_CTYPE`, `TZ` and `TMPDIR`. The others may be somebody's passwords.
    #[serde(default)]
    pub environment_keep: Vec<String>,
    /// More variables for scripts.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What everybody may do who comes in by this backend, without a password: `view`, `user`, `expert` or `admin`. Without
    /// it, only those in `users` come in, and those for whom the gateway itself vouches.
    #[serde(default)]
    pub anyone: Option<Role>,
    /// Who may log in, by name.
    #[serde(default)]
    pub users: BTreeMap<String, User>,
    /// Whether a script finds the names that the ones before it have left behind. Imported modules stay in any case.
    #[serde(default)]
    pub namespace: Namespace,
    /// What becomes of the scripts that wait when the gateway starts.
    #[serde(default)]
    pub on_restart: OnRestart,
    /// What becomes of them when a script fails.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What becomes of them when a script is stopped. After an emergency stop they are always removed.
    #[serde(default)]
    pub on_stop: OnStop,
    /// Most memory of the worker, in MiB of address space; a script that wants more gets a `MemoryError`. 0: no limit.
    #[serde(default = "defaults::memory_mib")]
    pub memory_mib: u64,
    /// Longest time that a script may take, in seconds, pauses included; then it is aborted. 0: no limit.
    #[serde(default)]
    pub script_seconds: f64,
    /// Longest script, in bytes.
    #[serde(default = "defaults::script_bytes")]
    pub script_bytes: usize,
    /// Longest name of a script, in bytes.
    #[serde(default = "defaults::name_bytes")]
    pub name_bytes: usize,
    /// Most scripts that wait; more are refused as `busy`.
    #[serde(default = "defaults::queue_most")]
    pub queue_most: usize,
    /// Most bytes of the scripts that wait, together; more are refused as `busy`.
    #[serde(default = "defaults::queue_bytes")]
    pub queue_bytes: usize,
    /// Most scripts that are remembered after their end.
    #[serde(default = "defaults::history_most")]
    pub history_most: usize,
    /// Longest line of output, in bytes; the rest of it is cut off.
    #[serde(default = "defaults::line_bytes")]
    pub line_bytes: usize,
    /// Most output of one script, in bytes; what it prints beyond is left out.
    #[serde(default = "defaults::output_bytes")]
    pub output_bytes: usize,
    /// What the messages that `log` shows may take, in bytes; the oldest are forgotten.
    #[serde(default = "defaults::log_bytes")]
    pub log_bytes: usize,
    /// Longest value that `eval` returns, in bytes.
    #[serde(default = "defaults::value_bytes")]
    pub value_bytes: usize,
    /// Longest time for what is evaluated beside a script, in seconds.
    #[serde(default = "defaults::eval_seconds")]
    pub eval_seconds: f64,
    /// Most evaluations at a time.
    #[serde(default = "defaults::eval_most")]
    pub eval_most: usize,
    /// How long a script that is aborted may tidy up before its worker is killed, in seconds.
    #[serde(default = "defaults::abort_seconds")]
    pub abort_seconds: f64,
    /// The same at an emergency stop.
    #[serde(default = "defaults::emergency_seconds")]
    pub emergency_seconds: f64,
    /// How long a worker may take to start, in seconds.
    #[serde(default = "defaults::start_seconds")]
    pub start_seconds: f64,
    /// First wait before a worker that has ended by itself is started again, in seconds; doubled each time until one has
    /// lived for ten seconds.
    #[serde(default = "defaults::retry_first_seconds")]
    pub retry_first_seconds: f64,
    /// Longest such wait, in seconds.
    #[serde(default = "defaults::retry_most_seconds")]
    pub retry_most_seconds: f64,
}

/// Somebody who may log in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What they may do.
    pub role: Role,
    /// Where their password is.
    pub secret: SecretSource,
}

/// Whether scripts share their names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Namespace {
    /// They do.
    #[default]
    Shared,
    /// Each begins without any.
    Fresh,
}

/// What becomes of what waits when the gateway starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnRestart {
    /// It waits until somebody says `resume`: nobody may be there, and nobody knows what the script before has left.
    #[default]
    Hold,
    /// It goes on at once.
    Run,
}

/// What becomes of what waits when a script fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The next one begins.
    #[default]
    Continue,
    /// It waits until somebody says `resume`.
    Hold,
}

/// What becomes of what waits when a script is stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnStop {
    /// It is removed, as NICOS does it.
    #[default]
    Drop,
    /// It waits until somebody says `resume`.
    Hold,
    /// The next one begins.
    Continue,
}

mod defaults {
    use std::path::PathBuf;

    pub(super) fn interpreter() -> PathBuf {
        "python3".into()
    }
    pub(super) fn memory_mib() -> u64 {
        4096
    }
    pub(super) fn script_bytes() -> usize {
        1 << 20
    }
    pub(super) fn name_bytes() -> usize {
        256
    }
    pub(super) fn queue_most() -> usize {
        1000
    }
    pub(super) fn queue_bytes() -> usize {
        4 << 20
    }
    pub(super) fn history_most() -> usize {
        1000
    }
    pub(super) fn line_bytes() -> usize {
        16 << 10
    }
    pub(super) fn output_bytes() -> usize {
        16 << 20
    }
    pub(super) fn log_bytes() -> usize {
        16 << 20
    }
    pub(super) fn value_bytes() -> usize {
        256 << 10
    }
    pub(super) fn eval_seconds() -> f64 {
        10.0
    }
    pub(super) fn eval_most() -> usize {
        4
    }
    pub(super) fn abort_seconds() -> f64 {
        5.0
    }
    pub(super) fn emergency_seconds() -> f64 {
        1.0
    }
    pub(super) fn start_seconds() -> f64 {
        30.0
    }
    pub(super) fn retry_first_seconds() -> f64 {
        0.2
    }
    pub(super) fn retry_most_seconds() -> f64 {
        30.0
    }
}

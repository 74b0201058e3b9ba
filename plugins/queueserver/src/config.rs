//! What an operator can set.

use std::collections::BTreeMap;
use std::time::Duration;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, Role, SecretSource, field_within, wrong_field};
use serde::Deserialize;

/// `[backend.config]` of an RE Manager. Everything has a default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the RE Manager takes requests, as `host:port`.
    pub control: String,
    /// Where it publishes what is printed, as `host:port`; it must run with `--zmq-publish-console ON`. Empty: this is not
    /// read, and there are no log, no line numbers and no `eval`.
    pub info: String,
    /// The user group in whose name everything is asked; what it may do stands in the server's
    /// `user_group_permissions.yaml`.
    pub user_group: String,
    /// Who is let in with a password, when a frontend has this backend as its authority: `refuse`, nobody but `users`;
    /// `anyone`, everybody, whatever the password. Clients for whom the host vouches are always let in.
    pub login: LoginPolicy,
    /// What those may do whom `login = "anyone"` lets in.
    pub anyone_role: Role,
    /// Who is let in with a password of their own, by name.
    pub users: BTreeMap<String, User>,
    /// When the environment is opened: `when-needed`, by the first submit; `at-start`, whenever it is seen closed;
    /// `manual`, only by the operation `environment`.
    pub environment: Environment,
    /// What becomes of the jobs that wait when one has failed.
    pub on_failure: Then,
    /// What becomes of them when one was stopped.
    pub on_stop: Then,
    /// What becomes of them when one was aborted.
    pub on_abort: Then,
    /// What becomes of the copy of a failed, aborted or halted job that the server puts back at the front of its queue:
    /// `remove`, or `keep` it there as a job of its own, and the queue standing.
    pub requeued: Requeued,
    /// Longest answer or message that is read, in bytes. The history comes as one answer.
    pub frame_limit_bytes: usize,
    /// Longest script, in bytes.
    pub script_bytes: usize,
    /// Longest name of a job, in bytes.
    pub name_bytes: usize,
    /// Longest line of output, in bytes; longer ones are cut.
    pub line_bytes: usize,
    /// Most lines of output that are kept for `log`.
    pub log_most: usize,
    /// Most bytes of output that are kept for `log`.
    pub log_bytes: usize,
    /// Most jobs that are remembered.
    pub jobs_most: usize,
    /// Most requests that are under way at a time, urgent ones not counted; more are refused as `busy`.
    pub requests_most: usize,
    /// Longest wait for a connection, in seconds.
    pub connect_deadline_s: f64,
    /// Longest wait for an answer, in seconds. The RE Manager itself waits up to ten seconds for its worker.
    pub reply_deadline_s: f64,
    /// Longest wait for the environment to open, in seconds.
    pub environment_deadline_s: f64,
    /// Longest wait for `eval` and `exec`, in seconds.
    pub eval_deadline_s: f64,
    /// How long an emergency stop waits for the Run Engine before it destroys the environment, in seconds.
    pub emergency_grace_s: f64,
    /// How often the server is looked at, in seconds.
    pub look_s: f64,
    /// After how long a silence of a job that runs the worker is asked whether it lives, and for how long the RE Manager may be
    /// about to take the next item before it is said to be stuck, in seconds.
    pub wedged_after_s: f64,
    /// First wait before a lost connection is tried again, in seconds; doubled after each failure, with jitter.
    pub retry_first_s: f64,
    /// Longest such wait, in seconds.
    pub retry_most_s: f64,
}

/// Who is let in with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoginPolicy {
    /// Nobody but those who are listed.
    Refuse,
    /// Everybody.
    Anyone,
}

/// Somebody with a password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Where the password is.
    pub secret: SecretSource,
    /// What they may do: `view`, `user`, `expert` or `admin`.
    pub role: Role,
}

/// When the environment is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// By the first submit.
    WhenNeeded,
    /// Whenever it is seen closed.
    AtStart,
    /// Only by the operation.
    Manual,
}

/// What becomes of the jobs that wait when one has not ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The next one runs.
    Continue,
    /// They wait until somebody says `resume` or submits another one.
    Hold,
    /// Those of the gateway are removed.
    Drop,
}

impl Then {
    /// The name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Then::Continue => "continue",
            Then::Hold => "hold",
            Then::Drop => "drop",
        }
    }
}

/// What becomes of what the server puts back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Requeued {
    /// It is removed.
    Remove,
    /// It stays, as a job of its own.
    Keep,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            control: "localhost:60615".into(),
            info: "localhost:60625".into(),
            user_group: "primary".into(),
            login: LoginPolicy::Refuse,
            anyone_role: Role::User,
            users: BTreeMap::new(),
            environment: Environment::WhenNeeded,
            on_failure: Then::Continue,
            on_stop: Then::Drop,
            on_abort: Then::Drop,
            requeued: Requeued::Remove,
            frame_limit_bytes: 16 << 20,
            script_bytes: 1 << 20,
            name_bytes: 1024,
            line_bytes: 64 << 10,
            log_most: 10_000,
            log_bytes: 8 << 20,
            jobs_most: 1000,
            requests_most: 64,
            connect_deadline_s: 5.0,
            reply_deadline_s: 15.0,
            environment_deadline_s: 120.0,
            eval_deadline_s: 30.0,
            emergency_grace_s: 5.0,
            look_s: 0.25,
            wedged_after_s: 20.0,
            retry_first_s: 0.25,
            retry_most_s: 5.0,
        }
    }
}

impl Config {
    /// Checks what no schema shows.
    ///
    /// # Errors
    /// `Invalid`, naming the field at fault.
    pub fn check(self) -> Result<Self, Fault> {
        address("control", &self.control)?;
        if !self.info.is_empty() {
            address("info", &self.info)?;
        }
        field_within(
            "frame_limit_bytes",
            self.frame_limit_bytes as u64,
            64 << 10,
            1 << 30,
        )?;
        field_within(
            "script_bytes",
            self.script_bytes as u64,
            1,
            self.frame_limit_bytes as u64 / 2,
        )?;
        field_within("name_bytes", self.name_bytes as u64, 1, 64 << 10)?;
        field_within("line_bytes", self.line_bytes as u64, 80, 16 << 20)?;
        field_within("log_most", self.log_most as u64, 1, 10_000_000)?;
        field_within("log_bytes", self.log_bytes as u64, 1 << 10, 1 << 30)?;
        field_within("jobs_most", self.jobs_most as u64, 10, 1_000_000)?;
        field_within("requests_most", self.requests_most as u64, 1, 10_000)?;
        for (field, seconds) in [
            ("connect_deadline_s", self.connect_deadline_s),
            ("reply_deadline_s", self.reply_deadline_s),
            ("environment_deadline_s", self.environment_deadline_s),
            ("eval_deadline_s", self.eval_deadline_s),
            ("emergency_grace_s", self.emergency_grace_s),
            ("look_s", self.look_s),
            ("wedged_after_s", self.wedged_after_s),
            ("retry_first_s", self.retry_first_s),
            ("retry_most_s", self.retry_most_s),
        ] {
            if !(0.01..=86_400.0).contains(&seconds) {
                return Err(wrong_field(field, "between 0.01 and 86400"));
            }
        }
        Ok(self)
    }
}

/// A time of the configuration, which [`Config::check`] has checked.
#[must_use]
pub fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

fn address(field: &str, text: &str) -> Result<(), Fault> {
    let parts = text.rsplit_once(':');
    let is_one = parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains("//") && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    match is_one {
        true => Ok(()),
        false => Err(wrong_field(
            field,
            "an address as `host:port`, without `tcp://`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_right_and_mistakes_are_named() {
        assert!(Config::default().check().is_ok());
        let wrong = |config: Config| config.check().unwrap_err().message;
        let control = Config {
            control: "tcp://x:1".into(),
            ..Config::default()
        };
        assert!(wrong(control).contains("`control` must be an address"));
        let look_s = f64::NAN;
        let look = Config {
            look_s,
            ..Config::default()
        };
        assert!(wrong(look).contains("`look_s`"));
    }
}

//! What an operator can set.

use std::time::Duration;

use patchbay_sdk::model::nearest;
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, FaultKind, SecretSource};
use serde::Deserialize;

use crate::auth::PasswordForm;
use crate::event;
use crate::pickle::Limits;

/// `[backend.config]` of a NICOS daemon. Only `address` has no default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the daemon listens, as `host:port`. NICOS's own default port is 1301.
    pub address: String,
    /// Who reads the daemon's events. Without it: whoever logs in first, until the instance ends.
    #[serde(default)]
    pub observer: Option<Observer>,
    /// The daemon's events that are not read, by NICOS's names. By default `cache`: every value of every device, many a
    /// second. Without `eta`, `prompt`, `dataset` and the like, clients do not hear of these.
    #[serde(default = "defaults::events_off")]
    pub events_off: Vec<String>,
    /// How passwords are sent to the daemon: `rsa` or `plain`.
    #[serde(default)]
    pub password: PasswordForm,
    /// Longest frame from or to the daemon, in bytes; longer scripts are refused, longer replies skipped. NICOS itself
    /// takes a second of CPU time for 5 MB and half a minute for 20.
    #[serde(default = "defaults::frame_limit_bytes")]
    pub frame_limit_bytes: usize,
    /// Limits on decoding one payload.
    #[serde(default)]
    pub pickle: PickleConfig,
    /// Longest wait for a connection with the daemon's greeting and login, in seconds.
    #[serde(default = "defaults::connect_deadline_s")]
    pub connect_deadline_s: f64,
    /// Longest wait for a reply, in seconds; after it the connection is given up and made anew.
    #[serde(default = "defaults::reply_deadline_s")]
    pub reply_deadline_s: f64,
    /// Longest wait for the reply to `eval` and `exec`, in seconds.
    #[serde(default = "defaults::eval_deadline_s")]
    pub eval_deadline_s: f64,
    /// First wait before a lost connection is tried again, in seconds; doubled after each failure, with jitter.
    #[serde(default = "defaults::retry_first_s")]
    pub retry_first_s: f64,
    /// Longest wait before a lost connection is tried again, in seconds.
    #[serde(default = "defaults::retry_most_s")]
    pub retry_most_s: f64,
    /// After how long each idle connection is asked for a sign of life, in seconds.
    #[serde(default = "defaults::probe_s")]
    pub probe_s: f64,
    /// How long a login's connections stay open after its last client has gone, in seconds.
    #[serde(default = "defaults::idle_s")]
    pub idle_s: f64,
    /// How long the daemon's word on a name and password counts for others who log in with the same, in seconds;
    /// after that it is asked again.
    #[serde(default = "defaults::verify_s")]
    pub verify_s: f64,
    /// Most commands waiting for one connection; more are refused as `busy`.
    #[serde(default = "defaults::queue_most")]
    pub queue_most: usize,
    /// Most different logins at a time; each holds up to three pairs of connections.
    #[serde(default = "defaults::logins_most")]
    pub logins_most: usize,
    /// Most messages that one `log` returns.
    #[serde(default = "defaults::log_most")]
    pub log_most: u32,
    /// Most jobs whose state is remembered.
    #[serde(default = "defaults::jobs_most")]
    pub jobs_most: usize,
}

/// A login of its own for reading events; NICOS's `guest` level is enough.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observer {
    /// The name to log in with.
    pub login: String,
    /// Where its password is.
    pub secret: SecretSource,
}

/// Limits on decoding one payload; its length is limited by `frame_limit_bytes`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PickleConfig {
    /// Deepest nesting of the resulting JSON.
    pub depth: usize,
    /// Most values, each counted as often as it is used.
    pub nodes: usize,
    /// Longest resulting JSON, in bytes.
    pub output_bytes: usize,
    /// Longest integer, in bytes.
    pub int_bytes: usize,
}

impl Default for PickleConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            depth: limits.depth,
            nodes: limits.nodes,
            output_bytes: limits.output_bytes,
            int_bytes: limits.int_bytes,
        }
    }
}

mod defaults {
    pub(super) fn events_off() -> Vec<String> {
        vec!["cache".to_owned()]
    }
    pub(super) fn frame_limit_bytes() -> usize {
        4 << 20
    }
    pub(super) fn connect_deadline_s() -> f64 {
        5.0
    }
    pub(super) fn reply_deadline_s() -> f64 {
        10.0
    }
    pub(super) fn eval_deadline_s() -> f64 {
        300.0
    }
    pub(super) fn retry_first_s() -> f64 {
        0.2
    }
    pub(super) fn retry_most_s() -> f64 {
        10.0
    }
    pub(super) fn probe_s() -> f64 {
        15.0
    }
    pub(super) fn idle_s() -> f64 {
        60.0
    }
    pub(super) fn verify_s() -> f64 {
        600.0
    }
    pub(super) fn queue_most() -> usize {
        64
    }
    pub(super) fn logins_most() -> usize {
        64
    }
    pub(super) fn log_most() -> u32 {
        1000
    }
    pub(super) fn jobs_most() -> usize {
        1000
    }
}

/// The configuration, checked and in the units that the code uses.
#[derive(Debug, Clone)]
pub struct Settings {
    /// As in [`Config::address`].
    pub address: String,
    /// As in [`Config::observer`].
    pub observer: Option<Observer>,
    /// As in [`Config::events_off`].
    pub events_off: Vec<String>,
    /// As in [`Config::password`].
    pub password: PasswordForm,
    /// As in [`Config::frame_limit_bytes`].
    pub frame_limit: usize,
    /// As in [`Config::pickle`].
    pub limits: Limits,
    /// As in [`Config::connect_deadline_s`].
    pub connect_deadline: Duration,
    /// As in [`Config::reply_deadline_s`].
    pub reply_deadline: Duration,
    /// As in [`Config::eval_deadline_s`].
    pub eval_deadline: Duration,
    /// As in [`Config::retry_first_s`].
    pub retry_first: Duration,
    /// As in [`Config::retry_most_s`].
    pub retry_most: Duration,
    /// As in [`Config::probe_s`].
    pub probe: Duration,
    /// As in [`Config::idle_s`].
    pub idle: Duration,
    /// As in [`Config::verify_s`].
    pub verify: Duration,
    /// As in [`Config::queue_most`].
    pub queue_most: usize,
    /// As in [`Config::logins_most`].
    pub logins_most: usize,
    /// As in [`Config::log_most`].
    pub log_most: u32,
    /// As in [`Config::jobs_most`].
    pub jobs_most: usize,
}

impl Config {
    /// Checks every number.
    ///
    /// # Errors
    /// `Invalid`, naming the key and what it must be.
    pub fn resolve(self) -> Result<Settings, Fault> {
        check_address(&self.address)?;
        self.events_off
            .iter()
            .try_for_each(|name| check_event(name))?;
        Ok(Settings {
            frame_limit: at_least("frame_limit_bytes", self.frame_limit_bytes, 4096)?,
            limits: Limits {
                input_bytes: self.frame_limit_bytes,
                depth: at_least("pickle.depth", self.pickle.depth, 8)?,
                nodes: at_least("pickle.nodes", self.pickle.nodes, 100)?,
                output_bytes: at_least("pickle.output_bytes", self.pickle.output_bytes, 4096)?,
                int_bytes: at_least("pickle.int_bytes", self.pickle.int_bytes, 8)?,
            },
            connect_deadline: seconds("connect_deadline_s", self.connect_deadline_s)?,
            reply_deadline: seconds("reply_deadline_s", self.reply_deadline_s)?,
            eval_deadline: seconds("eval_deadline_s", self.eval_deadline_s)?,
            retry_first: seconds("retry_first_s", self.retry_first_s)?,
            retry_most: seconds("retry_most_s", self.retry_most_s.max(self.retry_first_s))?,
            probe: seconds("probe_s", self.probe_s)?,
            idle: seconds("idle_s", self.idle_s)?,
            verify: seconds("verify_s", self.verify_s)?,
            queue_most: at_least("queue_most", self.queue_most, 1)?,
            logins_most: at_least("logins_most", self.logins_most, 1)?,
            jobs_most: at_least("jobs_most", self.jobs_most, 10)?,
            log_most: self.log_most.max(1),
            address: self.address,
            observer: self.observer,
            password: self.password,
            events_off: self.events_off,
        })
    }
}

fn check_address(address: &str) -> Result<(), Fault> {
    let port = address
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty());
    match port.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(()),
        None => Err(invalid(format!(
            "`address` is `{address}`; it must be `host:port`, as in `localhost:1301`"
        ))),
    }
}

fn check_event(name: &str) -> Result<(), Fault> {
    if event::optional().any(|optional| optional == name) {
        return Ok(());
    }
    if event::is_essential(name) {
        return Err(invalid(format!(
            "`events_off` names `{name}`, without which the jobs would not be known"
        )));
    }
    let near = nearest(name, event::optional());
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Err(invalid(format!(
        "`events_off` names `{name}`, which is no event of NICOS{hint}"
    )))
}

fn at_least(key: &str, value: usize, least: usize) -> Result<usize, Fault> {
    match value >= least {
        true => Ok(value),
        false => Err(invalid(format!(
            "`{key}` is {value}; it must be at least {least}"
        ))),
    }
}

/// Between a millisecond and a day.
fn seconds(key: &str, value: f64) -> Result<Duration, Fault> {
    match (0.001..=86_400.0).contains(&value) {
        true => Ok(Duration::from_secs_f64(value)),
        false => Err(invalid(format!(
            "`{key}` is {value}; it must be between 0.001 and 86400 seconds"
        ))),
    }
}

fn invalid(message: String) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Result<Settings, String> {
        let config: Config = serde_json::from_str(json).map_err(|error| error.to_string())?;
        config.resolve().map_err(|fault| fault.message)
    }

    #[test]
    fn an_address_is_enough() {
        let settings = config(r#"{"address": "localhost:1301"}"#).unwrap();
        assert_eq!(
            (settings.frame_limit, settings.limits.nodes),
            (4 << 20, 500_000)
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert!(
            config(r#"{"address": "localhost"}"#)
                .unwrap_err()
                .contains("`address`")
        );
        assert!(
            config(r#"{"address": "a:1", "adress": "b:1"}"#)
                .unwrap_err()
                .contains("adress")
        );
        assert!(
            config(r#"{"address": "a:1", "probe_s": -1}"#)
                .unwrap_err()
                .contains("`probe_s`")
        );
        assert!(
            config(r#"{"address": "a:1", "events_off": ["cahce"]}"#)
                .unwrap_err()
                .contains("did you mean `cache`?")
        );
        assert!(
            config(r#"{"address": "a:1", "events_off": ["done"]}"#)
                .unwrap_err()
                .contains("jobs would not be known")
        );
        assert!(
            config(r#"{"address": "a:1", "pickle": {"depth": 0}}"#)
                .unwrap_err()
                .contains("`pickle.depth`")
        );
    }
}

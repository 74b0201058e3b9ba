//! The instance's part of the configuration file, and what is left of it once checked.

use std::path::PathBuf;
use std::time::Duration;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, ListenAddress, ListenFile, field_within, wrong_field};
use serde::{Deserialize, Serialize};

/// Where to listen if nothing is said.
const DEFAULT_TCP: &str = "127.0.0.1:1310";

/// A frontend for clients that write JSON lines to a socket.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-listens-at" = DEFAULT_TCP))]
pub struct Config {
    /// Where to listen, `host:port`; `127.0.0.1:1310` if `unix` is not given either. Passwords and scripts travel
    /// unencrypted, so an address that other machines reach needs `allow_remote = true`.
    pub tcp: Option<ListenAddress>,
    /// Lets `tcp` be an address that other machines reach.
    pub allow_remote: bool,
    /// A socket file to listen on. An old one that nobody listens on any more is replaced.
    pub unix: Option<ListenFile>,
    /// Who may connect to the socket file: its mode, in octal.
    pub unix_mode: String,
    /// A connection on which nobody is logged in is closed after so many seconds. At least 1.
    pub login_s: u64,
    /// A connection that has said nothing for so many seconds, waits for nothing and is not subscribed is closed. At
    /// least 1.
    pub idle_s: u64,
    /// A client that does not take 64 KiB, or all that there is for it, within so many seconds is cut off. At least 1.
    pub write_s: u64,
    /// Events kept for `since` and for slow readers, of all clients together, in bytes. At least 65536.
    pub events_bytes: usize,
    /// Bounds on what clients can use up.
    pub limits: Limits,
}

/// Bounds on what clients can use up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest line, in bytes; a longer one is answered with an error and skipped. At most 64 MiB. Before the login it
    /// is at most 65536.
    pub line_bytes: usize,
    /// Connections at the same time; one more is closed at once, after a line that says why.
    pub connections: usize,
    /// So many of them may be connections on which nobody has logged in yet, so that who does not log in keeps nobody out
    /// who does. A quarter of `connections`, but at least 8, if nothing is said.
    pub strangers: Option<usize>,
    /// Requests of one connection that are not answered yet; further ones are answered with an error. Urgent ones have as
    /// many places of their own.
    pub requests_per_connection: usize,
    /// Requests of all connections that change something and are not done yet, whether their clients are still there or not;
    /// further ones are answered with an error. Urgent ones are not counted.
    pub changes: usize,
    /// Answers, and events for one client alone, that wait until their clients take them, of all connections together, in
    /// bytes. One of them may take up half of what is free; one that finds no room is answered with an error instead. At
    /// least 65536.
    pub answer_bytes: usize,
    /// Wrong logins of one connection; then it is closed.
    pub wrong_logins: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tcp: None,
            allow_remote: false,
            unix: None,
            unix_mode: "600".into(),
            login_s: 10,
            idle_s: 3_600,
            write_s: 30,
            events_bytes: 16 << 20,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 4 << 20,
            connections: 256,
            strangers: None,
            requests_per_connection: 32,
            changes: 256,
            answer_bytes: 64 << 20,
            wrong_logins: 5,
        }
    }
}

impl Limits {
    /// See [`Limits::strangers`].
    pub fn strangers(&self) -> usize {
        let part = || (self.connections / 4).max(8);
        self.strangers.unwrap_or_else(part).min(self.connections)
    }
}

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub tcp: Option<String>,
    /// See [`Config::allow_remote`].
    pub allow_remote: bool,
    /// The socket file and its mode.
    pub unix: Option<(PathBuf, u32)>,
    /// See [`Config::login_s`].
    pub login: Duration,
    /// See [`Config::idle_s`].
    pub idle: Duration,
    /// See [`Config::write_s`].
    pub write: Duration,
    /// See [`Config::events_bytes`].
    pub events_bytes: usize,
    /// See [`Config::limits`].
    pub limits: Limits,
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    /// `Invalid` naming the field and what it must be.
    pub fn check(self) -> Result<Settings, Fault> {
        self.check_numbers()?;
        let mode = mode(&self.unix_mode)?;
        let tcp = self.tcp.map(|address| address.0);
        let tcp = match self.unix {
            None => Some(tcp.unwrap_or_else(|| DEFAULT_TCP.into())),
            Some(_) => tcp,
        };
        Ok(Settings {
            tcp,
            allow_remote: self.allow_remote,
            unix: self.unix.map(|path| (path.0, mode)),
            login: Duration::from_secs(self.login_s),
            idle: Duration::from_secs(self.idle_s),
            write: Duration::from_secs(self.write_s),
            events_bytes: self.events_bytes,
            limits: self.limits,
        })
    }

    fn check_numbers(&self) -> Result<(), Fault> {
        let limits = &self.limits;
        let year = 366 * 86_400;
        field_within("login_s", self.login_s, 1, 3_600)?;
        field_within("idle_s", self.idle_s, 1, year)?;
        field_within("write_s", self.write_s, 1, 3_600)?;
        field_within("events_bytes", self.events_bytes as u64, 64 << 10, 1 << 40)?;
        field_within(
            "limits.line_bytes",
            limits.line_bytes as u64,
            1_024,
            64 << 20,
        )?;
        field_within("limits.connections", limits.connections as u64, 1, 100_000)?;
        let strangers = limits.strangers() as u64;
        field_within("limits.strangers", strangers, 1, 100_000)?;
        field_within("limits.changes", limits.changes as u64, 1, 100_000)?;
        field_within(
            "limits.requests_per_connection",
            limits.requests_per_connection as u64,
            1,
            10_000,
        )?;
        field_within(
            "limits.answer_bytes",
            limits.answer_bytes as u64,
            64 << 10,
            1 << 40,
        )?;
        field_within("limits.wrong_logins", limits.wrong_logins.into(), 1, 1_000)
    }
}

fn mode(text: &str) -> Result<u32, Fault> {
    let mode = u32::from_str_radix(text, 8).ok();
    mode.filter(|mode| *mode <= 0o777).ok_or_else(|| {
        wrong_field(
            "unix_mode",
            r#"a file's mode in octal, such as "600" or "660""#,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Result<Settings, String> {
        let config: Config = serde_json::from_str(json).map_err(|error| error.to_string())?;
        config.check().map_err(|fault| fault.message)
    }

    #[test]
    fn who_says_nothing_listens_on_loopback_only() {
        let settings = config("{}").unwrap();
        assert_eq!(
            (settings.tcp.as_deref(), settings.unix),
            (Some("127.0.0.1:1310"), None)
        );
        let settings = config(r#"{"unix":"/run/x.sock"}"#).unwrap();
        assert_eq!(settings.tcp, None, "a socket file is instead of TCP");
        assert_eq!(settings.unix, Some(("/run/x.sock".into(), 0o600)));
    }

    #[test]
    fn strangers_get_a_part_of_the_connections() {
        for (json, strangers) in [
            ("{}", 64),
            (r#"{"limits":{"connections":16}}"#, 8),
            (r#"{"limits":{"connections":2}}"#, 2),
            (r#"{"limits":{"strangers":3}}"#, 3),
        ] {
            assert_eq!(
                config(json).unwrap().limits.strangers(),
                strangers,
                "{json}"
            );
        }
    }

    #[test]
    fn a_mistake_names_its_field() {
        let cases = [
            (r#"{"tpc":"x:1"}"#, "tpc"),
            (r#"{"unix_mode":"rw"}"#, "unix_mode"),
            (r#"{"unix_mode":"1777"}"#, "unix_mode"),
            (r#"{"login_s":0}"#, "login_s"),
            (r#"{"events_bytes":1}"#, "events_bytes"),
            (r#"{"limits":{"connections":0}}"#, "limits.connections"),
            (r#"{"limits":{"strangers":0}}"#, "limits.strangers"),
        ];
        for (json, field) in cases {
            let error = config(json).unwrap_err();
            assert!(error.contains(field), "{json}: {error}");
        }
    }
}

//! What an operator can set.

mod defaults;
mod roles;
mod settings;

use std::collections::BTreeMap;

use patchbay_sdk::SecretSource;
use patchbay_sdk::schemars::{self, JsonSchema};
use serde::Deserialize;

use crate::auth::PasswordForm;
use crate::pickle::Limits;
pub use roles::{RoleMap, RoleName, Roles};
pub use settings::Settings;

/// `[backend.config]` of a NICOS daemon. Only `address` has no default.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the daemon listens, as `host:port`. NICOS's own default port is 1301.
    pub address: String,
    /// Who reads the daemon's events. Without it: whoever logs in first, until the instance ends.
    #[serde(default)]
    pub observer: Option<Observer>,
    /// As whom those log in for whom the gateway vouches. Without it none of them is let in.
    #[serde(default)]
    pub service: Option<Service>,
    /// Whether clients with the same name and password share one login at the daemon.
    #[serde(default)]
    pub sessions: Sessions,
    /// What NICOS's levels may do here.
    #[serde(default)]
    pub role_map: RoleMap,
    /// What logins may do here whatever their level is: `view`, `user`, `expert` or `admin`, by name.
    #[serde(default)]
    pub login_roles: BTreeMap<String, RoleName>,
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
    /// Longest reply or event that is skipped so that the connection can be used further, in bytes, if it is more than
    /// `frame_limit_bytes`; after a longer one it is made anew.
    #[serde(default = "defaults::skip_limit_bytes")]
    pub skip_limit_bytes: usize,
    /// Most bytes of events that were read and not yet told, each event counted as 256 bytes more than it has; the daemon
    /// keeps the others meanwhile. Events that are for one client only may take as much again; what finds no room of
    /// those is dropped and counted.
    #[serde(default = "defaults::events_waiting_bytes")]
    pub events_waiting_bytes: usize,
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
    /// How long an idle daemon may take for that sign of life, in seconds, if `reply_deadline_s` is not shorter.
    #[serde(default = "defaults::sign_of_life_s")]
    pub sign_of_life_s: f64,
    /// How long a login that the daemon refuses by now is not tried again, in seconds.
    #[serde(default = "defaults::retry_refused_s")]
    pub retry_refused_s: f64,
    /// How often each connection tells the daemon to keep its login's credentials fresh, in seconds, where it has the
    /// command `keepalive`. NICOS's own client does so every twelve hours; only logins by some service need it.
    #[serde(default = "defaults::keepalive_s")]
    pub keepalive_s: f64,
    /// After how long a silence the system asks on its own whether the other end of a connection is still there, and how
    /// long it waits before it asks again, in seconds; after three questions the connection is lost.
    #[serde(default = "defaults::tcp_keepalive_s")]
    pub tcp_keepalive_s: f64,
    /// How often the daemon's state is compared with what its events have told, in seconds.
    #[serde(default = "defaults::look_s")]
    pub look_s: f64,
    /// How long no event at all may come after such a look has shown something new, in seconds; then the event connection
    /// is held to be dead and made anew.
    #[serde(default = "defaults::silence_s")]
    pub silence_s: f64,
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
    /// Most logins at a time; each holds up to three pairs of connections.
    #[serde(default = "defaults::logins_most")]
    pub logins_most: usize,
    /// The shortest time between the beginnings of two connections, in seconds. Each costs the daemon 20 to 90 ms of CPU
    /// time.
    #[serde(default = "defaults::login_pace_s")]
    pub login_pace_s: f64,
    /// Most messages that one `log` returns.
    #[serde(default = "defaults::log_most")]
    pub log_most: u32,
    /// Longest name of a job that is submitted, in bytes.
    #[serde(default = "defaults::name_bytes")]
    pub name_bytes: usize,
    /// Most jobs whose state is remembered.
    #[serde(default = "defaults::jobs_most")]
    pub jobs_most: usize,
}

/// Who shares a login at the daemon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sessions {
    /// All clients with the same name and password.
    #[default]
    Shared,
    /// Nobody: each client has a login of its own, whose password the daemon checks, until it logs out.
    PerClient,
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

/// A login for all whom the gateway itself knows: those of a frontend with `authority = "users"`, and those that were led
/// here from another backend. The gateway enforces their roles; NICOS sees this login only, so it needs the level of the
/// highest role that any of them has: NICOS's `user` for scripts, `admin` for those who may also stop other people's.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name to log in with.
    pub login: String,
    /// Where its password is.
    pub secret: SecretSource,
}

/// Limits on decoding one payload, and on the values that clients give; their length is limited by `frame_limit_bytes`.
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
    /// Longest part of a class's name, in bytes.
    pub name_bytes: usize,
    /// Most large payloads that are decoded at a time; others wait for their turn. Each takes up to 150 bytes for each
    /// value, 16 for each byte of the payload and 3 for each of its JSON.
    pub at_once: usize,
}

impl Default for PickleConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            depth: limits.depth,
            nodes: limits.nodes,
            output_bytes: limits.output_bytes,
            int_bytes: limits.int_bytes,
            name_bytes: limits.name_bytes,
            at_once: defaults::at_once(),
        }
    }
}

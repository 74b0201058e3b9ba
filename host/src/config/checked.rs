//! The checked configuration: what the rest of the host sees. Everything in it holds.

use std::path::PathBuf;
use std::time::Duration;

use super::admin::AdminAddress;
use super::mistake::Mistakes;
use super::plugin_config::PluginConfig;
use crate::broker::Snapshots;
use crate::intents::Keeping;
use patchbay_abi::Secret;
use patchbay_sdk::Role;

/// A configuration without mistakes. Ids are unique, routes lead to a backend, plugins were found and accept their settings.
#[derive(Debug)]
pub struct Checked {
    /// The file it was read from, absolute.
    pub file: PathBuf,
    /// The host's own settings.
    pub gateway: Gateway,
    /// At least one, in the order of the file.
    pub backends: Vec<Backend>,
    /// At least one, in the order of the file.
    pub frontends: Vec<Frontend>,
    /// What is allowed but probably not meant; often empty. To be shown, not to be failed on.
    pub warnings: Mistakes,
}

/// `[gateway]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Shown in logs.
    pub name: String,
    /// Absolute folders, searched in order.
    pub plugin_path: Vec<PathBuf>,
    /// The list of plugins that may be loaded; all if `None`. Absolute.
    pub trusted_plugins: Option<PathBuf>,
    /// For the host and for instances that say nothing else.
    pub log_level: LogLevel,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where machines may ask how it is.
    pub admin: AdminAddress,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// How much there may be.
    pub limits: Limits,
    /// What is kept of each backend's events.
    pub journal: Journal,
    /// What is kept of each backend's answers.
    pub snapshots: Snapshots,
    /// Where is noted what must not be done twice.
    pub intents: Keeping,
    /// The audit log.
    pub audit: crate::audit::Keeping,
    /// The list of users, absolute; it need not be there.
    pub users: PathBuf,
    /// The group whose members may give orders as well.
    pub control_group: Option<String>,
    /// What happens to an instance that fails.
    pub restart: Restart,
}

/// How long things may take. All that there are are above zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// An ordinary request.
    pub request: Duration,
    /// `eval`, `exec`, `simulate`.
    pub long: Duration,
    /// A login.
    pub login: Duration,
    /// The start of an instance.
    pub start: Duration,
    /// An instance that serves, to show that it still does; `None` if it need not.
    pub hang: Option<Duration>,
    /// Draining at shutdown.
    pub shutdown: Duration,
}

/// How much there may be at one time. All above zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Sessions in all.
    pub sessions: usize,
    /// Unanswered requests in all.
    pub in_flight: usize,
    /// Unanswered requests of one session.
    pub in_flight_per_session: usize,
    /// Bytes of one body.
    pub body_bytes: usize,
    /// Undecided logins in all.
    pub logins_pending: usize,
    /// Logins a second by one frontend.
    pub logins_per_s: usize,
    /// Logins a second from one client's place at one frontend.
    pub logins_per_s_and_client: usize,
    /// What one frontend of several may have of sessions, requests and logins, in percent.
    pub frontend_share: usize,
    /// Events of one backend in a second.
    pub events_per_second: u32,
    /// Log lines of one instance in a second.
    pub lines_per_second: u32,
}

/// What is kept of each backend's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Bytes in all.
    pub bytes: usize,
    /// Age of the oldest.
    pub age: Duration,
}

/// What happens to an instance that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Wait before the first restart.
    pub backoff_min: Duration,
    /// Longest wait; not below `backoff_min`.
    pub backoff_max: Duration,
    /// Restarts within `window` after which the instance is quarantined; 0 for no restart at all.
    pub max: u32,
    /// Span of time over which restarts are counted.
    pub window: Duration,
    /// Threads that hang, at which the instance is quarantined.
    pub max_abandoned: usize,
}

/// What backends and frontends have in common: one running copy of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Unique over backends and frontends: `[a-z0-9][a-z0-9-]{0,31}`.
    pub id: String,
    /// The plugin's name as written.
    pub plugin: String,
    /// The plugin's file, as the catalog found it.
    pub path: PathBuf,
    /// The JSON schema of the plugin's settings.
    pub schema: serde_json::Value,
    /// Valid by that schema.
    pub config: PluginConfig,
    /// Where its code runs.
    pub isolation: Isolation,
    /// Its own log level, if it has one.
    pub log_level: Option<LogLevel>,
}

/// `[[backend]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// Id, plugin, settings.
    pub instance: Instance,
}

/// `[[frontend]]`.
#[derive(Debug, Clone)]
pub struct Frontend {
    /// Id, plugin, settings.
    pub instance: Instance,
    /// The id of a backend that exists.
    pub backend: String,
    /// Who checks passwords.
    pub authority: Authority,
    /// Ceiling for everybody who comes in here.
    pub max_role: Role,
    /// What to do with a login that no rule matches.
    pub unmapped_logins: UnmappedLogins,
    /// In the order of the file, which is the order to try them in.
    pub logins: Vec<LoginRule>,
}

/// `[[frontend.login]]`: who a client becomes.
#[derive(Debug, Clone)]
pub struct LoginRule {
    /// The user name the client sends.
    pub client_user: String,
    /// SHA-256 of the secret the client must send; any secret will do if `None`.
    pub client_secret_sha256: Option<[u8; 32]>,
    /// The user name for the authority.
    pub user: String,
    /// The secret for the backend; `None` where the host's list is the authority.
    pub secret: Option<Secret>,
}

/// Where an instance's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// In the gateway's own process.
    None,
    /// In a process of its own.
    Process,
}

/// How severe a message must be to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something looks wrong.
    Warn,
    /// The course of events.
    Info,
    /// Details for whoever looks for a fault.
    Debug,
    /// Everything.
    Trace,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `Pretty` on a terminal, else `Json`.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Who checks the passwords of a frontend's clients and says what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The backend that the configuration names.
    Backend,
    /// The host's own list of users.
    Users,
}

/// What to do with a login that no rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnmappedLogins {
    /// Let the authority check it.
    Forward,
    /// Refuse it.
    Refuse,
}

impl LogLevel {
    pub(crate) const OPTIONS: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
    pub(super) const OPTIONAL: &'static [(&'static str, Option<Self>)] = &[
        ("error", Some(Self::Error)),
        ("warn", Some(Self::Warn)),
        ("info", Some(Self::Info)),
        ("debug", Some(Self::Debug)),
        ("trace", Some(Self::Trace)),
    ];
}

impl Isolation {
    pub(super) const OPTIONS: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("process", Self::Process)];
}

impl LogFormat {
    pub(super) const OPTIONS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("pretty", Self::Pretty),
        ("json", Self::Json),
    ];
}

pub(super) const ROLES: &[(&str, Role)] = &[
    ("view", Role::View),
    ("user", Role::User),
    ("expert", Role::Expert),
    ("admin", Role::Admin),
];

impl Authority {
    pub(super) const OPTIONS: &'static [(&'static str, Self)] =
        &[("backend", Self::Backend), ("users", Self::Users)];
}

impl UnmappedLogins {
    pub(super) const OPTIONS: &'static [(&'static str, Self)] =
        &[("forward", Self::Forward), ("refuse", Self::Refuse)];
}

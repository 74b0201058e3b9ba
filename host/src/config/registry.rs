//! The one table of every key the host understands.
//!
//! Parsing ([`super::raw`]), suggestions for misspelt keys, defaults, ranges and the reference page
//! ([`super::reference`]) are all driven from here: a key is added, changed or removed in this file only.

use super::checked::{Isolation, LogFormat, LogLevel};
use super::key::{Choice, Entry, Key, Number, Paths, Presence, Section, Tables, Text};
pub(super) use super::registry_frontend::*;

/// Every section, in the order of the reference page.
pub(super) static SECTIONS: &[&Section] = &[&TOP, &GATEWAY, &BACKEND, &FRONTEND, &LOGIN, &SECRET];

pub(super) static TOP: Section = Section {
    title: "the top level",
    doc: "The tables a configuration consists of.",
    keys: &[&GATEWAY_TABLE, &BACKENDS, &FRONTENDS],
};
pub(super) static GATEWAY_TABLE: Key<Tables> = Key {
    name: "gateway",
    kind: Tables::ONE,
    doc: "The host itself: logging, deadlines, limits.",
};
pub(super) static BACKENDS: Key<Tables> = Key {
    name: "backend",
    kind: Tables::AT_LEAST_ONE,
    doc: "A script server, reached through a backend plugin.",
};
pub(super) static FRONTENDS: Key<Tables> = Key {
    name: "frontend",
    kind: Tables::AT_LEAST_ONE,
    doc: "A way in for clients, served by a frontend plugin.",
};

pub(super) static GATEWAY: Section = Section {
    title: "[gateway]",
    doc: "The host itself. The whole table may be left out.",
    keys: &[
        &NAME,
        &PLUGIN_PATH,
        &TRUSTED_PLUGINS,
        &LOG_LEVEL,
        &LOG_FORMAT,
        &ADMIN_LISTEN,
        &REQUEST_DEADLINE_S,
        &LONG_DEADLINE_S,
        &LOGIN_DEADLINE_S,
        &START_DEADLINE_S,
        &HANG_S,
        &SHUTDOWN_DEADLINE_S,
        &MAX_SESSIONS,
        &MAX_IN_FLIGHT,
        &MAX_IN_FLIGHT_PER_SESSION,
        &MAX_BODY_BYTES,
        &MAX_LOGINS_PENDING,
        &MAX_LOGINS_PER_S,
        &MAX_LOGINS_PER_S_AND_CLIENT,
        &FRONTEND_SHARE_PERCENT,
        &MAX_EVENTS_PER_S,
        &MAX_LOG_LINES_PER_S,
        &JOURNAL_BYTES,
        &JOURNAL_AGE_S,
        &SNAPSHOT_BYTES,
        &SNAPSHOT_PATIENCE_MS,
        &SNAPSHOT_INTERVAL_MS,
        &SNAPSHOT_AGE_MS,
        &STATE_PATH,
        &CONTROL_GROUP,
        &MAX_INTENTS,
        &INTENTS_AGE_S,
        &USERS_PATH,
        &AUDIT_PATH,
        &AUDIT_BYTES,
        &AUDIT_FILES,
        &RESTART_BACKOFF_MIN_MS,
        &RESTART_BACKOFF_MAX_MS,
        &RESTART_MAX,
        &RESTART_WINDOW_S,
        &MAX_ABANDONED,
    ],
};
pub(super) static NAME: Key<Text> = Key {
    name: "name",
    kind: Text::new(Presence::Default("patchbay")),
    doc: "The name of this gateway in its logs.",
};
pub(super) static PLUGIN_PATH: Key<Paths> = Key {
    name: "plugin_path",
    kind: Paths {
        default: &["/usr/lib/patchbay/plugins"],
    },
    doc: "Folders searched for plugins, in this order. A relative one counts from the folder of this file.",
};
pub(super) static TRUSTED_PLUGINS: Key<Text> = Key {
    name: "trusted_plugins",
    kind: Text::new(Presence::Optional("whatever the folders hold")),
    doc: "A list of the plugin files that may be loaded, by their SHA-256. `patchbay plugin trust` writes it.",
};
pub(super) static LOG_LEVEL: Key<Choice<LogLevel>> = Key {
    name: "log_level",
    kind: Choice {
        options: LogLevel::OPTIONS,
        default: LogLevel::Info,
        default_text: "`\"info\"`",
    },
    doc: "The least severe messages that are logged.",
};
pub(super) static LOG_FORMAT: Key<Choice<LogFormat>> = Key {
    name: "log_format",
    kind: Choice {
        options: LogFormat::OPTIONS,
        default: LogFormat::Auto,
        default_text: "`\"auto\"`",
    },
    doc: "`auto` is `pretty` on a terminal and `json` elsewhere.",
};
pub(super) static ADMIN_LISTEN: Key<Text> = Key {
    name: "admin_listen",
    kind: Text::new(Presence::Default("off")),
    doc: "Where machines may ask by HTTP how the gateway is (`/live`, `/ready`, `/metrics`, `/version`): a loopback address such \
          as `127.0.0.1:9310`, the absolute path of a Unix socket, or `off`.",
};
pub(super) static REQUEST_DEADLINE_S: Key<Number> = Key {
    name: "request_deadline_s",
    kind: Number::new(30, 1, DAY_S, "s"),
    doc: "Time a backend has to answer an ordinary request.",
};
pub(super) static LONG_DEADLINE_S: Key<Number> = Key {
    name: "long_deadline_s",
    kind: Number::new(3600, 1, DAY_S, "s"),
    doc: "Time a backend has for `eval`, `exec` and `simulate`.",
};
pub(super) static LOGIN_DEADLINE_S: Key<Number> = Key {
    name: "login_deadline_s",
    kind: Number::new(10, 1, 600, "s"),
    doc: "Time a backend has to accept or refuse a login.",
};
pub(super) static START_DEADLINE_S: Key<Number> = Key {
    name: "start_deadline_s",
    kind: Number::new(30, 1, 600, "s"),
    doc: "Time a plugin instance has to start. One whose server is away says so and counts as started; one that has not said anything by then is given up and started anew.",
};
pub(super) static HANG_S: Key<Number> = Key {
    name: "hang_s",
    kind: Number::new(60, 0, DAY_S, "s"),
    doc: "Time for which an instance may not answer the host, because its thread is blocked; then it is given up and started anew. 0: never.",
};
pub(super) static SHUTDOWN_DEADLINE_S: Key<Number> = Key {
    name: "shutdown_deadline_s",
    kind: Number::new(10, 1, 600, "s"),
    doc: "Time for everything under way to finish at shutdown; then the process ends anyway. For a service, `TimeoutStopSec` of its \
          unit has to be longer (30 s as it is delivered).",
};
pub(super) static MAX_SESSIONS: Key<Number> = Key {
    name: "max_sessions",
    kind: Number::new(1000, 1, 100_000, ""),
    doc: "Sessions at one time, over all frontends. Further logins are refused as busy.",
};
pub(super) static MAX_IN_FLIGHT: Key<Number> = Key {
    name: "max_in_flight",
    kind: Number::new(4096, 1, 1_000_000, ""),
    doc: "Requests waiting for their answer, over all sessions. Further ones are refused as busy.",
};
pub(super) static MAX_IN_FLIGHT_PER_SESSION: Key<Number> = Key {
    name: "max_in_flight_per_session",
    kind: Number::new(64, 1, 100_000, ""),
    doc: "Requests of one session waiting for their answer. Further ones are refused as busy.",
};
pub(super) static MAX_BODY_BYTES: Key<Number> = Key {
    name: "max_body_bytes",
    kind: Number::new(16 * MIB, 1024, 1024 * MIB, "bytes"),
    doc: "Size of the body of one request, reply or event.",
};
pub(super) static MAX_LOGINS_PENDING: Key<Number> = Key {
    name: "max_logins_pending",
    kind: Number::new(64, 1, 100_000, ""),
    doc: "Logins waiting for a backend's decision. Further ones are refused as busy.",
};
pub(super) static MAX_LOGINS_PER_S: Key<Number> = Key {
    name: "max_logins_per_s",
    kind: Number::new(500, 1, 100_000, ""),
    doc: "Logins a second by each frontend, ten seconds' worth at once. Further ones are refused as busy.",
};
pub(super) static MAX_LOGINS_PER_S_AND_CLIENT: Key<Number> = Key {
    name: "max_logins_per_s_and_client",
    kind: Number::new(50, 1, 100_000, ""),
    doc: "Logins a second from each client's place at a frontend (an address, a reply queue), ten seconds' worth at once; one \
          that is refused counts ten times. Further ones are refused as busy.",
};
pub(super) static FRONTEND_SHARE_PERCENT: Key<Number> = Key {
    name: "frontend_share_percent",
    kind: Number::new(75, 1, 100, ""),
    doc: "How much of `max_sessions`, `max_in_flight` and `max_logins_pending` the clients of one frontend can take where there are several, so that the others always find room.",
};
pub(super) static MAX_EVENTS_PER_S: Key<Number> = Key {
    name: "max_events_per_s",
    kind: Number::new(50_000, 1, 10_000_000, ""),
    doc: "Events of one backend in a second; a script that does nothing but print causes some 15000. Further ones are dropped and counted; whoever reads them learns of a gap.",
};
pub(super) static MAX_LOG_LINES_PER_S: Key<Number> = Key {
    name: "max_log_lines_per_s",
    kind: Number::new(1000, 1, 10_000_000, ""),
    doc: "Log lines of one plugin instance in a second. Further ones are dropped and counted.",
};
pub(super) static JOURNAL_BYTES: Key<Number> = Key {
    name: "journal_bytes",
    kind: Number::new(16 * MIB, 64 * 1024, 4096 * MIB, "bytes"),
    doc: "Memory for the recent events kept of each backend.",
};
pub(super) static JOURNAL_AGE_S: Key<Number> = Key {
    name: "journal_age_s",
    kind: Number::new(3600, 1, 7 * DAY_S, "s"),
    doc: "Age at which an event is dropped even where there is memory left.",
};
pub(super) static SNAPSHOT_BYTES: Key<Number> = Key {
    name: "snapshot_bytes",
    kind: Number::new(8 * MIB, 0, 1024 * MIB, "bytes"),
    doc: "Memory for the last answers to `status` and `log` kept of each backend; 0 for none.",
};
pub(super) static SNAPSHOT_PATIENCE_MS: Key<Number> = Key {
    name: "snapshot_patience_ms",
    kind: Number::new(250, 1, 60_000, "ms"),
    doc: "Time that `status` and `log` wait for a newer answer of the backend; then the old one is given, with its age and why it is not newer.",
};
pub(super) static SNAPSHOT_INTERVAL_MS: Key<Number> = Key {
    name: "snapshot_interval_ms",
    kind: Number::new(250, 10, 60_000, "ms"),
    doc: "Shortest time between two looks of the gateway itself at what clients ask for, while events pour in; a script's line in `status` may be that old.",
};
pub(super) static SNAPSHOT_AGE_MS: Key<Number> = Key {
    name: "snapshot_age_ms",
    kind: Number::new(1000, 0, 3_600_000, "ms"),
    doc: "Age at which an answer to `status` or `log` is asked for anew although no event has told of a change.",
};
pub(super) static STATE_PATH: Key<Text> = Key {
    name: "state_path",
    kind: Text::new(Presence::Default("state")),
    doc: "The folder where submits are noted, so that none is carried out twice. Each gateway needs its own; others must not be \
          able to write to it. A relative one counts from the folder of this file. While it is full or cannot be written, submits are refused.",
};
pub(super) static CONTROL_GROUP: Key<Text> = Key {
    name: "control_group",
    kind: Text::new(Presence::Optional("only the gateway's own user, and root")),
    doc: "A group of this machine whose members may use `patchbay status`, `route`, `restart` and the like as well.",
};
pub(super) static MAX_INTENTS: Key<Number> = Key {
    name: "max_intents",
    kind: Number::new(50_000, 100, 10_000_000, ""),
    doc: "Submits that are remembered, at some 300 bytes each, but never fewer than twice `max_in_flight`; the oldest are forgotten first.",
};
pub(super) static INTENTS_AGE_S: Key<Number> = Key {
    name: "intents_age_s",
    kind: Number::new(30 * DAY_S, 3600, 3650 * DAY_S, "s"),
    doc: "Age at which a submit is forgotten, but for the newest (twice `max_in_flight`). A request that a broker delivers later than that could be carried out again.",
};
pub(super) static USERS_PATH: Key<Text> = Key {
    name: "users_path",
    kind: Text::new(Presence::Optional("the file `users` in `state_path`")),
    doc: "The list of users, written by `patchbay user`, for frontends whose `authority` is `users`. It must belong to the \
          gateway's user, its folder's or root, and nobody else may be able to write to it. A relative path counts from the folder of this file.",
};
pub(super) static AUDIT_PATH: Key<Text> = Key {
    name: "audit_path",
    kind: Text::new(Presence::Optional("the file `audit.jsonl` in `state_path`")),
    doc: "The audit log: who has changed what, or was refused, as JSON lines without bodies. `patchbay audit` reads it. \
          A relative path counts from the folder of this file.",
};
pub(super) static AUDIT_BYTES: Key<Number> = Key {
    name: "audit_bytes",
    kind: Number::new(16 * MIB, 64 * 1024, 4096 * MIB, "bytes"),
    doc: "Size at which a file of the audit log is put aside and a new one begun; a line takes some 250 bytes.",
};
pub(super) static AUDIT_FILES: Key<Number> = Key {
    name: "audit_files",
    kind: Number::new(8, 1, 1000, ""),
    doc: "Files of the audit log that are kept, the newest included.",
};
pub(super) static RESTART_BACKOFF_MIN_MS: Key<Number> = Key {
    name: "restart_backoff_min_ms",
    kind: Number::new(500, 10, 3_600_000, "ms"),
    doc: "Wait before the first restart of a failed instance; doubled for each further one.",
};
pub(super) static RESTART_BACKOFF_MAX_MS: Key<Number> = Key {
    name: "restart_backoff_max_ms",
    kind: Number::new(30_000, 10, 3_600_000, "ms"),
    doc: "Longest wait between restarts; at least `restart_backoff_min_ms`.",
};
pub(super) static RESTART_MAX: Key<Number> = Key {
    name: "restart_max",
    kind: Number::new(10, 0, 10_000, ""),
    doc: "Restarts within `restart_window_s` after which a failing instance is quarantined.",
};
pub(super) static RESTART_WINDOW_S: Key<Number> = Key {
    name: "restart_window_s",
    kind: Number::new(600, 1, DAY_S, "s"),
    doc: "Span of time over which restarts are counted.",
};
pub(super) static MAX_ABANDONED: Key<Number> = Key {
    name: "max_abandoned",
    kind: Number::new(3, 1, 1000, ""),
    doc: "Threads of one instance that hang and had to be left behind, at which it is quarantined.",
};

pub(super) static BACKEND: Section = Section {
    title: "[[backend]]",
    doc: "One script server. At least one is needed.",
    keys: &[&ID, &PLUGIN, &CONFIG, &ISOLATION, &INSTANCE_LOG_LEVEL],
};
pub(super) static ID: Key<Text> = Key {
    name: "id",
    kind: Text::new(Presence::Required),
    doc: "A name for this instance, unique in this file: a-z, 0-9 and -, at most 32, starting with a letter or digit.",
};
pub(super) static PLUGIN: Key<Text> = Key {
    name: "plugin",
    kind: Text::new(Presence::Required),
    doc: "The plugin, looked for in `plugin_path`.",
};
pub(super) static CONFIG: Key<Tables> = Key {
    name: "config",
    kind: Tables::ONE,
    doc: "The plugin's own settings, checked against the schema it exports.",
};
pub(super) static ISOLATION: Key<Choice<Isolation>> = Key {
    name: "isolation",
    kind: Choice {
        options: Isolation::OPTIONS,
        default: Isolation::None,
        default_text: "`\"none\"`",
    },
    doc: "Where the plugin's code runs: `none` is the gateway's own process, `process` one of the instance's own. What ends \
          that, a segmentation fault for instance, costs a restart of the instance and nothing else; each request takes \
          some 30 µs longer. Not on Windows.",
};
pub(super) static INSTANCE_LOG_LEVEL: Key<Choice<Option<LogLevel>>> = Key {
    name: "log_level",
    kind: Choice {
        options: LogLevel::OPTIONAL,
        default: None,
        default_text: "that of `[gateway]`",
    },
    doc: "The least severe messages of this instance that are logged.",
};

const MIB: u64 = 1024 * 1024;
const DAY_S: u64 = 24 * 60 * 60;

/// The section that knows a key of this name, other than `here`.
pub(super) fn home_of(name: &str, here: &Section) -> Option<&'static Section> {
    let elsewhere = SECTIONS
        .iter()
        .filter(|section| section.title != here.title);
    elsewhere
        .copied()
        .find(|section| section.entry(name).is_some())
}

impl Section {
    /// The key of this name, if the section has it.
    pub(super) fn entry(&self, name: &str) -> Option<&'static dyn Entry> {
        self.keys.iter().copied().find(|key| key.name() == name)
    }
}

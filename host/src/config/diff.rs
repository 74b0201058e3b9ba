//! What differs between the configuration that a gateway runs with and another one, in the order in which it is to be
//! changed: whatever a frontend is led to is there before, and goes after.

use super::checked::{
    Authority, Checked, Deadlines, Frontend, Gateway, Instance, Journal, Limits, LogLevel,
    LoginRule, Restart, UnmappedLogins,
};
use super::registry as keys;
use crate::broker::Snapshots;
use crate::intents::Keeping;
use patchbay_abi::{PluginRole, Secret};
use std::fmt;
use std::time::Duration;

/// One thing that differs. As text it is a line for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A setting of the host that holds from now on.
    Setting(Setting),
    /// A setting of the host that only a restart of the process can change.
    Later(Setting),
    /// An instance that is new.
    Added(PluginRole, String),
    /// An instance that needs a new life, and why.
    NewLife(PluginRole, String, &'static str),
    /// What an instance logs.
    Level(PluginRole, String, LogLevel),
    /// Where a frontend leads, or who gets in there, and as whom: what of that differs.
    Admission(String, Vec<String>),
    /// An instance that is there no more.
    Removed(PluginRole, String),
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    key: &'static str,
    was: String,
    is: String,
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Setting(Setting { key, was, is }) => write!(out, "`{key}`: {was} → {is}"),
            Change::Later(Setting { key, was, is }) => write!(
                out,
                "`{key}`: {was} → {is}, only when the process is restarted"
            ),
            Change::Added(role, id) => write!(out, "{role} `{id}`: added"),
            Change::NewLife(PluginRole::Backend, id, why) => write!(
                out,
                "backend `{id}`: started anew, {why}; what is under way finishes in its former life"
            ),
            Change::NewLife(role, id, why) => write!(
                out,
                "{role} `{id}`: stopped and started anew, {why}; its clients have to connect again"
            ),
            Change::Level(role, id, level) => {
                write!(out, "{role} `{id}`: logs at `{}`", name_of(*level))
            }
            Change::Admission(id, what) => write!(out, "frontend `{id}`: {}", what.join("; ")),
            Change::Removed(role, id) => write!(out, "{role} `{id}`: stopped and removed"),
        }
    }
}

/// Everything that differs.
pub fn differences(running: &Checked, wanted: &Checked) -> Vec<Change> {
    let backends = |config: &Checked| -> Vec<Instance> {
        let all = config.backends.iter();
        all.map(|backend| backend.instance.clone()).collect()
    };
    let frontends = |config: &Checked| -> Vec<Instance> {
        let all = config.frontends.iter();
        all.map(|frontend| frontend.instance.clone()).collect()
    };
    let defaults = (running.gateway.log_level, wanted.gateway.log_level);
    let [back, front] = [
        (PluginRole::Backend, backends(running), backends(wanted)),
        (PluginRole::Frontend, frontends(running), frontends(wanted)),
    ]
    .map(|(role, were, are)| of_instances(role, &were, &are, defaults));
    let settings = of_gateway(&running.gateway, &wanted.gateway);
    let admissions = wanted.frontends.iter().filter_map(|frontend| {
        let mut were = running.frontends.iter();
        let was = were.find(|was| was.instance.id == frontend.instance.id)?;
        let what = of_admission(was, frontend);
        let id = frontend.instance.id.clone();
        (!what.is_empty()).then_some(Change::Admission(id, what))
    });
    settings
        .into_iter()
        .chain(back.added)
        .chain(back.changed)
        .chain(admissions)
        .chain(front.changed)
        .chain(front.removed)
        .chain(front.added)
        .chain(back.removed)
        .collect()
}

#[derive(Default)]
struct OfInstances {
    added: Vec<Change>,
    changed: Vec<Change>,
    removed: Vec<Change>,
}

fn of_instances(
    role: PluginRole,
    were: &[Instance],
    are: &[Instance],
    defaults: (LogLevel, LogLevel),
) -> OfInstances {
    let mut found = OfInstances::default();
    for instance in are {
        let id = instance.id.clone();
        let Some(was) = were.iter().find(|was| was.id == id) else {
            found.added.push(Change::Added(role, id));
            continue;
        };
        let level = instance.log_level.unwrap_or(defaults.1);
        if was.path != instance.path {
            let change = Change::NewLife(role, id, "it is of another plugin");
            found.changed.push(change);
        } else if was.isolation != instance.isolation {
            let change = Change::NewLife(role, id, "its isolation differs");
            found.changed.push(change);
        } else if was.config != instance.config {
            let change = Change::NewLife(role, id, "its settings differ");
            found.changed.push(change);
        } else if was.log_level.unwrap_or(defaults.0) != level {
            found.changed.push(Change::Level(role, id, level));
        }
    }
    let gone = were
        .iter()
        .filter(|was| are.iter().all(|instance| instance.id != was.id));
    let removed = gone.map(|was| Change::Removed(role, was.id.clone()));
    found.removed.extend(removed);
    found
}

fn of_admission(was: &Frontend, is: &Frontend) -> Vec<String> {
    // All of it, so that nobody forgets this when there is more.
    let Frontend {
        instance: _,
        backend,
        authority,
        max_role,
        unmapped_logins,
        logins,
    } = is;
    let mut what = Vec::new();
    if was.backend != *backend {
        let then = match authority {
            Authority::Backend => ", which says who gets in from now on",
            Authority::Users => "",
        };
        what.push(format!("talks to `{backend}`{then}"));
    }
    if was.authority != *authority {
        let who = match authority {
            Authority::Backend => "its backend",
            Authority::Users => "the list of users",
        };
        what.push(format!("{who} says who gets in from now on"));
    }
    if was.max_role != *max_role {
        what.push(format!(
            "`{}`: {} → {max_role}",
            keys::MAX_ROLE.name,
            was.max_role
        ));
    }
    if was.unmapped_logins != *unmapped_logins {
        let word = match unmapped_logins {
            UnmappedLogins::Forward => "forwarded",
            UnmappedLogins::Refuse => "refused",
        };
        what.push(format!("logins without a rule are {word}"));
    }
    let same = |(was, is): (&LoginRule, &LoginRule)| {
        was.client_user == is.client_user
            && was.client_secret_sha256 == is.client_secret_sha256
            && was.user == is.user
            && was.secret.as_ref().map(Secret::expose) == is.secret.as_ref().map(Secret::expose)
    };
    if was.logins.len() != logins.len() || !was.logins.iter().zip(logins).all(same) {
        what.push("its login rules differ".to_owned());
    }
    what
}

fn of_gateway(was: &Gateway, is: &Gateway) -> Vec<Change> {
    let pairs = settings(was).into_iter().zip(settings(is));
    let changed = pairs.filter(|(was, is)| was.text != is.text);
    let change = |(was, is): (Shown, Shown)| {
        let setting = Setting {
            key: is.key,
            was: was.text,
            is: is.text,
        };
        match is.live {
            true => Change::Setting(setting),
            false => Change::Later(setting),
        }
    };
    changed.map(change).collect()
}

/// A setting of the host, and whether it can change while the process runs.
struct Shown {
    key: &'static str,
    text: String,
    live: bool,
}

/// All of them, so that nobody forgets this when there is one more.
fn settings(gateway: &Gateway) -> Vec<Shown> {
    let Gateway {
        name,
        plugin_path,
        trusted_plugins,
        control_group,
        log_level,
        log_format,
        admin,
        deadlines,
        limits,
        journal,
        users,
        audit,
        snapshots,
        intents,
        restart,
    } = gateway;
    let Deadlines {
        request,
        long,
        login,
        start,
        hang,
        shutdown,
    } = deadlines;
    let Limits {
        sessions,
        in_flight,
        in_flight_per_session,
        body_bytes,
        logins_pending,
        logins_per_s,
        logins_per_s_and_client,
        frontend_share,
        events_per_second,
        lines_per_second,
    } = limits;
    let Journal { bytes, age } = journal;
    let Snapshots {
        bytes: snapshot_bytes,
        patience,
        interval,
        age: snapshot_age,
    } = snapshots;
    let Keeping {
        folder,
        most,
        least: _,
        age: intents_age,
    } = intents;
    let Restart {
        backoff_min,
        backoff_max,
        max,
        window,
        max_abandoned,
    } = restart;
    let live = |key: &'static str, text: String| Shown {
        key,
        text,
        live: true,
    };
    let later = |key: &'static str, text: String| Shown {
        key,
        text,
        live: false,
    };
    let paths: Vec<String> = plugin_path
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    vec![
        later(keys::NAME.name, format!("`{name}`")),
        live(keys::PLUGIN_PATH.name, paths.join(", ")),
        live(
            keys::TRUSTED_PLUGINS.name,
            trusted_plugins
                .as_ref()
                .map_or_else(|| "none".to_owned(), |list| list.display().to_string()),
        ),
        later(
            keys::CONTROL_GROUP.name,
            control_group.clone().unwrap_or_else(|| "none".to_owned()),
        ),
        live(keys::LOG_LEVEL.name, name_of(*log_level).to_owned()),
        later(
            keys::LOG_FORMAT.name,
            format!("{log_format:?}").to_lowercase(),
        ),
        later(keys::ADMIN_LISTEN.name, admin.to_string()),
        live(keys::REQUEST_DEADLINE_S.name, seconds(*request)),
        live(keys::LONG_DEADLINE_S.name, seconds(*long)),
        live(keys::LOGIN_DEADLINE_S.name, seconds(*login)),
        live(keys::START_DEADLINE_S.name, seconds(*start)),
        live(keys::HANG_S.name, seconds(hang.unwrap_or_default())),
        live(keys::SHUTDOWN_DEADLINE_S.name, seconds(*shutdown)),
        live(keys::MAX_SESSIONS.name, sessions.to_string()),
        live(keys::MAX_IN_FLIGHT.name, in_flight.to_string()),
        live(
            keys::MAX_IN_FLIGHT_PER_SESSION.name,
            in_flight_per_session.to_string(),
        ),
        live(keys::MAX_BODY_BYTES.name, body_bytes.to_string()),
        live(keys::MAX_LOGINS_PENDING.name, logins_pending.to_string()),
        live(keys::MAX_LOGINS_PER_S.name, logins_per_s.to_string()),
        live(
            keys::MAX_LOGINS_PER_S_AND_CLIENT.name,
            logins_per_s_and_client.to_string(),
        ),
        live(
            keys::FRONTEND_SHARE_PERCENT.name,
            frontend_share.to_string(),
        ),
        live(keys::MAX_EVENTS_PER_S.name, events_per_second.to_string()),
        live(keys::MAX_LOG_LINES_PER_S.name, lines_per_second.to_string()),
        live(keys::JOURNAL_BYTES.name, bytes.to_string()),
        live(keys::JOURNAL_AGE_S.name, seconds(*age)),
        live(keys::SNAPSHOT_BYTES.name, snapshot_bytes.to_string()),
        live(keys::SNAPSHOT_PATIENCE_MS.name, millis(*patience)),
        live(keys::SNAPSHOT_INTERVAL_MS.name, millis(*interval)),
        live(keys::SNAPSHOT_AGE_MS.name, millis(*snapshot_age)),
        later(keys::STATE_PATH.name, folder.display().to_string()),
        later(keys::MAX_INTENTS.name, most.to_string()),
        later(keys::INTENTS_AGE_S.name, seconds(*intents_age)),
        later(keys::AUDIT_PATH.name, audit.file.display().to_string()),
        later(keys::AUDIT_BYTES.name, audit.bytes.to_string()),
        later(keys::AUDIT_FILES.name, audit.files.to_string()),
        later(keys::USERS_PATH.name, users.display().to_string()),
        live(keys::RESTART_BACKOFF_MIN_MS.name, millis(*backoff_min)),
        live(keys::RESTART_BACKOFF_MAX_MS.name, millis(*backoff_max)),
        live(keys::RESTART_MAX.name, max.to_string()),
        live(keys::RESTART_WINDOW_S.name, seconds(*window)),
        live(keys::MAX_ABANDONED.name, max_abandoned.to_string()),
    ]
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs())
}

fn millis(span: Duration) -> String {
    format!("{} ms", span.as_millis())
}

fn name_of(level: LogLevel) -> &'static str {
    let mut options = LogLevel::OPTIONS.iter();
    options
        .find(|(_, option)| *option == level)
        .map_or("", |(name, _)| name)
}

//! `[gateway]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use crate::audit;
use crate::broker::Snapshots;
use crate::intents::Keeping;

use super::admin::address;
use super::checked::{Deadlines, Gateway, Journal, Limits, Restart};
use super::key::{Key, Number, Presence, Text};
use super::mistake::{Findings, Note};
use super::raw::{Fields, FoundTable};
use super::registry as keys;

/// The list of users, in the state directory if no other place is given.
const USERS: &str = "users";

/// The audit log, there too.
const AUDIT: &str = "audit.jsonl";

/// The host's own settings; defaults where the file says nothing.
pub(super) fn gateway(top: &Fields<'_>, folder: &Path, findings: &Findings) -> Gateway {
    let none = DeTable::new();
    let found = top.table(&keys::GATEWAY_TABLE).unwrap_or(FoundTable {
        table: &none,
        at: 0..0,
    });
    let fields = Fields::open(&keys::GATEWAY, found, findings);
    Gateway {
        name: fields
            .text(&keys::NAME)
            .map(|name| name.text.to_owned())
            .unwrap_or_default(),
        plugin_path: fields
            .paths(&keys::PLUGIN_PATH)
            .iter()
            .map(|path| folder.join(path))
            .collect(),
        trusted_plugins: fields
            .text(&keys::TRUSTED_PLUGINS)
            .map(|path| folder.join(path.text)),
        log_level: fields.choice(&keys::LOG_LEVEL),
        log_format: fields.choice(&keys::LOG_FORMAT),
        admin: address(&fields, findings),
        deadlines: deadlines(&fields),
        limits: limits(&fields),
        journal: Journal {
            bytes: size(&fields, &keys::JOURNAL_BYTES),
            age: seconds(&fields, &keys::JOURNAL_AGE_S),
        },
        users: in_state(&fields, &keys::USERS_PATH, USERS, folder),
        audit: audit::Keeping {
            file: in_state(&fields, &keys::AUDIT_PATH, AUDIT, folder),
            bytes: fields.number(&keys::AUDIT_BYTES),
            files: fields.number(&keys::AUDIT_FILES),
        },
        snapshots: snapshots(&fields),
        intents: intents(&fields, folder),
        control_group: fields
            .text(&keys::CONTROL_GROUP)
            .map(|group| group.text.to_owned()),
        restart: restart(&fields, findings),
    }
}

/// The state directory, whatever else is wrong with the file.
pub(super) fn state_path(top: &DeTable<'_>, folder: &Path) -> PathBuf {
    let default = match keys::STATE_PATH.kind.presence {
        Presence::Default(path) => path,
        _ => "",
    };
    folder.join(written(top, keys::STATE_PATH.name).unwrap_or(default))
}

/// The list of users, whatever else is wrong with the file.
pub(super) fn users_path(top: &DeTable<'_>, folder: &Path) -> PathBuf {
    state_file(top, folder, &keys::USERS_PATH, USERS)
}

/// The audit log, whatever else is wrong with the file.
pub(super) fn audit_path(top: &DeTable<'_>, folder: &Path) -> PathBuf {
    state_file(top, folder, &keys::AUDIT_PATH, AUDIT)
}

fn state_file(top: &DeTable<'_>, folder: &Path, key: &Key<Text>, name: &str) -> PathBuf {
    match written(top, key.name) {
        Some(path) => folder.join(path),
        None => state_path(top, folder).join(name),
    }
}

/// A file that is in the state directory unless another place is given.
fn in_state(fields: &Fields<'_>, key: &Key<Text>, name: &str, folder: &Path) -> PathBuf {
    match fields.text(key) {
        Some(path) => folder.join(path.text),
        None => intents(fields, folder).folder.join(name),
    }
}

/// Folders of plugins and the list of trusted ones, whatever else is wrong with the file.
pub(super) fn plugin_paths(top: &DeTable<'_>, folder: &Path) -> (Vec<PathBuf>, Option<PathBuf>) {
    let value = value(top, keys::PLUGIN_PATH.name).and_then(DeValue::as_array);
    let folders: Vec<&str> = match value {
        Some(folders) => folders
            .iter()
            .filter_map(|one| one.get_ref().as_str())
            .collect(),
        None => keys::PLUGIN_PATH.kind.default.to_vec(),
    };
    let folders = folders.iter().map(|path| folder.join(path)).collect();
    let trusted = written(top, keys::TRUSTED_PLUGINS.name).map(|path| folder.join(path));
    (folders, trusted)
}

fn value<'t>(top: &'t DeTable<'_>, key: &str) -> Option<&'t DeValue<'t>> {
    let gateway = top.get(keys::GATEWAY_TABLE.name)?.get_ref().as_table()?;
    Some(gateway.get(key)?.get_ref())
}

fn written<'t>(top: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    value(top, key)?.as_str()
}

fn intents(fields: &Fields<'_>, folder: &Path) -> Keeping {
    let path = fields.text(&keys::STATE_PATH).map(|path| path.text);
    let least = fields.number(&keys::MAX_IN_FLIGHT).saturating_mul(2);
    Keeping {
        folder: folder.join(path.unwrap_or_default()),
        most: fields.number(&keys::MAX_INTENTS).max(least),
        least,
        age: seconds(fields, &keys::INTENTS_AGE_S),
    }
}

fn deadlines(fields: &Fields<'_>) -> Deadlines {
    Deadlines {
        request: seconds(fields, &keys::REQUEST_DEADLINE_S),
        long: seconds(fields, &keys::LONG_DEADLINE_S),
        login: seconds(fields, &keys::LOGIN_DEADLINE_S),
        start: seconds(fields, &keys::START_DEADLINE_S),
        hang: Some(seconds(fields, &keys::HANG_S)).filter(|hang| !hang.is_zero()),
        shutdown: seconds(fields, &keys::SHUTDOWN_DEADLINE_S),
    }
}

fn limits(fields: &Fields<'_>) -> Limits {
    Limits {
        sessions: size(fields, &keys::MAX_SESSIONS),
        in_flight: size(fields, &keys::MAX_IN_FLIGHT),
        in_flight_per_session: size(fields, &keys::MAX_IN_FLIGHT_PER_SESSION),
        body_bytes: size(fields, &keys::MAX_BODY_BYTES),
        logins_pending: size(fields, &keys::MAX_LOGINS_PENDING),
        logins_per_s: size(fields, &keys::MAX_LOGINS_PER_S),
        logins_per_s_and_client: size(fields, &keys::MAX_LOGINS_PER_S_AND_CLIENT),
        frontend_share: size(fields, &keys::FRONTEND_SHARE_PERCENT),
        events_per_second: rate(fields, &keys::MAX_EVENTS_PER_S),
        lines_per_second: rate(fields, &keys::MAX_LOG_LINES_PER_S),
    }
}

fn snapshots(fields: &Fields<'_>) -> Snapshots {
    let millis = |key| Duration::from_millis(fields.number(key));
    Snapshots {
        bytes: size(fields, &keys::SNAPSHOT_BYTES),
        patience: millis(&keys::SNAPSHOT_PATIENCE_MS),
        interval: millis(&keys::SNAPSHOT_INTERVAL_MS),
        age: millis(&keys::SNAPSHOT_AGE_MS),
    }
}

fn restart(fields: &Fields<'_>, findings: &Findings) -> Restart {
    let restart = Restart {
        backoff_min: Duration::from_millis(fields.number(&keys::RESTART_BACKOFF_MIN_MS)),
        backoff_max: Duration::from_millis(fields.number(&keys::RESTART_BACKOFF_MAX_MS)),
        max: u32::try_from(fields.number(&keys::RESTART_MAX)).unwrap_or(u32::MAX),
        window: seconds(fields, &keys::RESTART_WINDOW_S),
        max_abandoned: size(fields, &keys::MAX_ABANDONED),
    };
    if restart.backoff_min > restart.backoff_max {
        backoff_is_reversed(&restart, fields, findings);
    }
    restart
}

fn backoff_is_reversed(restart: &Restart, fields: &Fields<'_>, findings: &Findings) {
    let (min, max) = (
        restart.backoff_min.as_millis(),
        restart.backoff_max.as_millis(),
    );
    let spans = [&keys::RESTART_BACKOFF_MIN_MS, &keys::RESTART_BACKOFF_MAX_MS]
        .map(|key| fields.span_of(key.name));
    let at = spans
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(|| fields.at());
    let note = Note::error("`restart_backoff_min_ms` is above `restart_backoff_max_ms`");
    let note = note.at(
        at,
        format!("the wait would have to grow from {min} to {max} ms"),
    );
    findings.note(note.help("raise restart_backoff_max_ms or lower restart_backoff_min_ms"));
}

fn seconds(fields: &Fields<'_>, key: &Key<Number>) -> Duration {
    Duration::from_secs(fields.number(key))
}

fn rate(fields: &Fields<'_>, key: &Key<Number>) -> u32 {
    u32::try_from(fields.number(key)).unwrap_or(u32::MAX)
}

fn size(fields: &Fields<'_>, key: &Key<Number>) -> usize {
    usize::try_from(fields.number(key)).unwrap_or(usize::MAX)
}

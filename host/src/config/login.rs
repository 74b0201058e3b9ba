//! `[[frontend.login]]`: who a client becomes.

use std::collections::BTreeSet;
use std::path::Path;

use super::checked::{Authority, LoginRule, UnmappedLogins};
use super::mistake::{Findings, Note, Span};
use super::plugin_config::{warn_if_others_can_read, warn_of_plain_text};
use super::raw::{Fields, Found, FoundTable};
use super::registry as keys;
use crate::users::read;
use patchbay_abi::Secret;
use patchbay_sdk::SecretSource;

/// What holds for all logins of a frontend.
pub(super) struct Rules {
    pub authority: Authority,
    pub unmapped: UnmappedLogins,
}

/// The rules of one frontend, in the order of the file, their secrets read.
pub(super) fn logins(
    frontend: &Fields<'_>,
    rules: &Rules,
    folder: &Path,
    findings: &Findings,
) -> Vec<LoginRule> {
    let found = frontend.tables(&keys::LOGINS);
    if found.is_empty() && rules.unmapped == UnmappedLogins::Refuse {
        nobody_gets_in(frontend, findings);
    }
    let mut seen = BTreeSet::new();
    let authority = rules.authority;
    let mut rules = Vec::new();
    for table in found {
        let at = table.at.clone();
        let Some(rule) = login(table, authority, folder, findings) else {
            continue;
        };
        if !seen.insert((rule.client_user.clone(), rule.client_secret_sha256)) {
            never_reached(at, &rule.client_user, findings);
        }
        rules.push(rule);
    }
    rules
}

fn login(
    found: FoundTable<'_>,
    authority: Authority,
    folder: &Path,
    findings: &Findings,
) -> Option<LoginRule> {
    let fields = Fields::open(&keys::LOGIN, found, findings);
    let client_user = fields.text(&keys::CLIENT_USER);
    let user = fields.text(&keys::USER);
    let hash = fields
        .text(&keys::CLIENT_SECRET_SHA256)
        .and_then(|hash| sha256(&hash, findings));
    let before = findings.errors();
    let secret = fields
        .table(&keys::LOGIN_SECRET)
        .and_then(|found| secret(found, folder, findings));
    let fits = secret.is_some() == (authority == Authority::Backend);
    if !fits && findings.errors() == before {
        secret_does_not_fit(&fields, authority, findings);
    }
    Some(LoginRule {
        client_user: client_user?.text.to_owned(),
        client_secret_sha256: hash,
        user: user?.text.to_owned(),
        secret,
    })
}

fn secret_does_not_fit(fields: &Fields<'_>, authority: Authority, findings: &Findings) {
    let at = fields
        .span_of(keys::LOGIN_SECRET.name)
        .unwrap_or_else(|| fields.at());
    let (what, help) = match authority {
        Authority::Backend => (
            "this login has no `secret`",
            "the backend checks it: secret = { file = \"…\" }",
        ),
        Authority::Users => (
            "this login has a `secret` that nobody asks for",
            "remove it: with authority = \"users\" the list of users says what `user` may do",
        ),
    };
    findings.note(Note::error(what).at(at, "").help(help));
}

/// Whether the list of users can be read now, so that what is wrong shows now.
pub(super) fn users_can_be_asked(frontend: &Fields<'_>, list: &Path, findings: &Findings) {
    let at = frontend
        .span_of(keys::AUTHORITY.name)
        .unwrap_or_else(|| frontend.at());
    let warn = |why: String| findings.note(Note::warning(why).at(at.clone(), "asks this list"));
    let note = match read(list, warn) {
        Ok(Some(users)) if users.iter().next().is_some() => return,
        Ok(_) => Note::warning(format!("nobody is in the user list {}", list.display()))
            .at(at.clone(), "nobody can log in here")
            .help("add somebody: patchbay user add NAME --role ROLE"),
        Err(why) => Note::error(why).at(at.clone(), "asks this list"),
    };
    findings.note(note);
}

fn sha256(found: &Found<'_>, findings: &Findings) -> Option<[u8; 32]> {
    let hash = digits(found.text);
    if hash.is_none() {
        let note = Note::error("`client_secret_sha256` must be 64 hexadecimal digits");
        let note = note.at(found.at.clone(), "not a SHA-256 hash");
        findings.note(note.help("compute it with: printf %s \"$SECRET\" | sha256sum"));
    }
    hash
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// `{ file = … }`, `{ env = … }` or `{ value = … }`: read now, so that what is wrong shows now.
fn secret(found: FoundTable<'_>, folder: &Path, findings: &Findings) -> Option<Secret> {
    let fields = Fields::open(&keys::SECRET, found, findings);
    let sources =
        [&keys::SECRET_FILE, &keys::SECRET_ENV, &keys::SECRET_VALUE].map(|key| fields.text(key));
    match sources {
        [Some(file), None, None] => from_file(&file, folder, findings),
        [None, Some(name), None] => {
            let read = SecretSource::Env(name.text.to_owned()).fetch();
            or_note(
                read,
                format!("environment variable `{}`", name.text),
                &name.at,
                findings,
            )
        }
        [None, None, Some(value)] => {
            warn_of_plain_text(value.at, findings);
            Some(Secret::new(value.text))
        }
        [None, None, None] if any_written(&fields) => None,
        _ => {
            let note = Note::error("a secret comes from exactly one place").at(fields.at(), "");
            findings.note(note.help("write { file = \"…\" } or { env = \"…\" }"));
            None
        }
    }
}

/// Whether a place was named but is wrong, and has been complained about.
fn any_written(fields: &Fields<'_>) -> bool {
    keys::SECRET
        .keys
        .iter()
        .any(|key| fields.span_of(key.name()).is_some())
}

fn from_file(file: &Found<'_>, folder: &Path, findings: &Findings) -> Option<Secret> {
    let path = folder.join(file.text);
    warn_if_others_can_read(&path, file.at.clone(), findings);
    or_note(
        SecretSource::File(path.clone()).fetch(),
        format!("file {}", path.display()),
        &file.at,
        findings,
    )
}

fn or_note(
    read: Result<Secret, String>,
    place: String,
    at: &Span,
    findings: &Findings,
) -> Option<Secret> {
    let unread = |why: String| {
        findings.note(Note::error(format!("no secret in {place}")).at(at.clone(), why))
    };
    read.map_err(unread).ok()
}

fn nobody_gets_in(frontend: &Fields<'_>, findings: &Findings) {
    let at = frontend
        .span_of(keys::UNMAPPED_LOGINS.name)
        .unwrap_or_else(|| frontend.at());
    let note = Note::warning("nobody can log in at this frontend").at(at, "refuses everybody");
    findings.note(note.help(
        "add a [[frontend.login]], or let the backend decide: unmapped_logins = \"forward\"",
    ));
}

fn never_reached(at: Span, client_user: &str, findings: &Findings) {
    let note = Note::error(format!("this login of `{client_user}` is never reached")).at(at, "");
    findings.note(note.help("an earlier one matches the same user and secret; remove one of them"));
}

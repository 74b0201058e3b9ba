//! The part of the [`super::registry`] that says how clients get in: frontends, logins, secrets.

use super::checked::{Authority, ROLES, UnmappedLogins};
use super::key::{Choice, Key, Presence, Section, Tables, Text};
use super::registry::{CONFIG, ID, INSTANCE_LOG_LEVEL, ISOLATION, PLUGIN};
use patchbay_sdk::Role;

pub(super) static FRONTEND: Section = Section {
    title: "[[frontend]]",
    doc: "One way in for clients. At least one is needed.",
    keys: &[
        &ID,
        &PLUGIN,
        &ROUTE,
        &CONFIG,
        &ISOLATION,
        &INSTANCE_LOG_LEVEL,
        &AUTHORITY,
        &MAX_ROLE,
        &UNMAPPED_LOGINS,
        &LOGINS,
    ],
};
pub(super) static ROUTE: Key<Text> = Key {
    name: "backend",
    kind: Text::new(Presence::Required),
    doc: "The id of the `[[backend]]` that this frontend's clients talk to.",
};
pub(super) static AUTHORITY: Key<Choice<Authority>> = Key {
    name: "authority",
    kind: Choice {
        options: Authority::OPTIONS,
        default: Authority::Backend,
        default_text: "`\"backend\"`",
    },
    doc: "Who checks passwords and says what clients may do: the backend named here, or the gateway's own list of users \
          (`users_path`). With `users` no backend sees a password, but it must take the gateway's word.",
};
pub(super) static MAX_ROLE: Key<Choice<Role>> = Key {
    name: "max_role",
    kind: Choice {
        options: ROLES,
        default: Role::Admin,
        default_text: "`\"admin\"`",
    },
    doc: "The most that anybody may do who comes in here, whatever the backend would allow.",
};
pub(super) static UNMAPPED_LOGINS: Key<Choice<UnmappedLogins>> = Key {
    name: "unmapped_logins",
    kind: Choice {
        options: UnmappedLogins::OPTIONS,
        default: UnmappedLogins::Forward,
        default_text: "`\"forward\"`",
    },
    doc: "What happens to a login that no `[[frontend.login]]` matches: the `authority` checks it, or it is refused.",
};
pub(super) static LOGINS: Key<Tables> = Key {
    name: "login",
    kind: Tables::ANY,
    doc: "Who a client becomes that logs in with a constant name, as old clients do.",
};

pub(super) static LOGIN: Section = Section {
    title: "[[frontend.login]]",
    doc: "Maps what a client sends to an account of the `authority`. Tried in the order of the file.",
    keys: &[&CLIENT_USER, &CLIENT_SECRET_SHA256, &USER, &LOGIN_SECRET],
};
pub(super) static CLIENT_USER: Key<Text> = Key {
    name: "client_user",
    kind: Text::new(Presence::Required),
    doc: "The user name the client sends.",
};
pub(super) static CLIENT_SECRET_SHA256: Key<Text> = Key {
    name: "client_secret_sha256",
    kind: Text::new(Presence::Optional("any secret")),
    doc: "SHA-256 of the secret the client must send, as 64 hexadecimal digits. It is never forwarded.",
};
pub(super) static USER: Key<Text> = Key {
    name: "user",
    kind: Text::new(Presence::Required),
    doc: "The user name to log in with at the backend or, with `authority = \"users\"`, in the list of users.",
};
pub(super) static LOGIN_SECRET: Key<Tables> = Key {
    name: "secret",
    kind: Tables::ONE,
    doc: "Where the secret of `user` comes from. Required where the backend is the authority; with `authority = \"users\"` there is none.",
};

pub(super) static SECRET: Section = Section {
    title: "secret = { … }",
    doc: "Where a secret comes from: exactly one of these keys. Plugins take their secrets in the same form \
          (a table with just one of these keys, anywhere in `config`).",
    keys: &[&SECRET_FILE, &SECRET_ENV, &SECRET_VALUE],
};
pub(super) static SECRET_FILE: Key<Text> = Key {
    name: "file",
    kind: Text::new(Presence::Optional("")),
    doc: "A file of at most 64 KiB that holds the secret; one newline at its end is dropped. A relative path counts \
          from the folder of this file, in a plugin's `config` too. Others should not be able to read it.",
};
pub(super) static SECRET_ENV: Key<Text> = Key {
    name: "env",
    kind: Text::new(Presence::Optional("")),
    doc: "The name of an environment variable that holds the secret.",
};
pub(super) static SECRET_VALUE: Key<Text> = Key {
    name: "value",
    kind: Text::verbatim(Presence::Optional("")),
    doc: "The secret itself, in plain text: for trying things out only, and warned about.",
};

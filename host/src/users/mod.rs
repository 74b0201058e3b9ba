//! The host's own list of users: who may log in at frontends whose `authority` is `users`.
//!
//! One line each in a file, `name:role:hash`, the hash by argon2id in the usual form (`$argon2id$…`).
//! `patchbay user` writes it ([`edit`]); a gateway that runs reads it again when it has changed
//! ([`UsersFile`]). Nobody's password is kept, and none goes anywhere else.

mod file;
mod list;
mod password;

pub use file::{UsersFile, edit, read};
pub use list::{User, Users};
pub use password::{LEAST_CHARACTERS, MOST_BYTES, check_new, hash};

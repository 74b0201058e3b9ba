//! `patchbay user`: who may log in at frontends whose authority is the gateway's own list.
//!
//! The list is a file, so that this works whether or not the gateway runs; one that runs notices.

use super::out::print;
use crate::config::users_path;
use crate::exit::Exit;
use crate::users::{self, LEAST_CHARACTERS, Users, check_new, edit};
use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use patchbay_client::ask_hidden;
use patchbay_sdk::Role;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// No password that comes by a pipe is longer, in bytes.
const LONGEST_INPUT: u64 = 64 * 1024;

#[derive(Subcommand)]
pub(super) enum UserVerb {
    /// Add somebody. The password is asked at the terminal, or read from standard input if that is none.
    Add {
        /// The name to log in with.
        name: String,
        /// What they may do, within the frontend's `max_role`.
        #[arg(long, value_parser = role())]
        role: Role,
        #[command(flatten)]
        list: WhichList,
    },
    /// Give somebody another password.
    Passwd {
        /// The name.
        name: String,
        #[command(flatten)]
        list: WhichList,
    },
    /// Give somebody another role; who is logged in has it within seconds.
    Role {
        /// The name.
        name: String,
        /// What they may do, within the frontend's `max_role`.
        #[arg(value_parser = role())]
        role: Role,
        #[command(flatten)]
        list: WhichList,
    },
    /// Remove somebody; they are logged out within seconds.
    Remove {
        /// The name.
        name: String,
        #[command(flatten)]
        list: WhichList,
    },
    /// Say who may log in, and as what.
    List {
        #[command(flatten)]
        list: WhichList,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Whose list is meant.
#[derive(clap::Args)]
pub(super) struct WhichList {
    /// The configuration file of the gateway.
    #[arg(default_value = "/etc/patchbay/patchbay.toml")]
    file: PathBuf,
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(["view", "user", "expert", "admin"])
        .map(|name| Role::from_name(&name).unwrap_or(Role::View))
}

impl UserVerb {
    pub(super) fn run(self) -> Exit {
        match self {
            UserVerb::Add { name, role, list } => list.change_password(
                &name,
                |users, hash| users.add(&name, role, hash),
                &format!("{name} may log in, as {role}"),
            ),
            UserVerb::Passwd { name, list } => list.change_password(
                &name,
                |users, hash| users.set_hash(&name, hash),
                &format!("{name} has another password; who is logged in stays so"),
            ),
            UserVerb::Role { name, role, list } => list.change(
                |users| users.set_role(&name, role),
                &format!("{name} is {role} now"),
            ),
            UserVerb::Remove { name, list } => list.change(
                |users| users.remove(&name),
                &format!("{name} cannot log in any more"),
            ),
            UserVerb::List { list, json } => list.show(json),
        }
    }
}

impl WhichList {
    fn change(&self, change: impl FnOnce(&mut Users) -> Result<(), String>, said: &str) -> Exit {
        self.with(|path| edit(path, change).map(|()| said.to_owned()))
    }

    /// What would be refused is refused before a password is asked for, which costs people more than us.
    fn change_password(
        &self,
        name: &str,
        change: impl Fn(&mut Users, String) -> Result<(), String>,
        said: &str,
    ) -> Exit {
        self.with(|path| {
            let now = users::read(path, |warning| eprintln!("warning: {warning}"))?;
            change(&mut now.unwrap_or_default(), String::new())?;
            let password = password_of(name)?;
            check_new(name, &password)?;
            let hash = users::hash(&password)?;
            edit(path, |users| change(users, hash)).map(|()| said.to_owned())
        })
    }

    fn show(&self, json: bool) -> Exit {
        self.with(|path| {
            let read = users::read(path, |warning| eprintln!("warning: {warning}"))?;
            let users = read.unwrap_or_default();
            Ok(match json {
                true => as_json(&users),
                false => as_table(&users, path),
            })
        })
    }

    fn with(&self, work: impl FnOnce(&Path) -> Result<String, String>) -> Exit {
        let path = match users_path(&self.file) {
            Ok(path) => path,
            Err(mistakes) => {
                super::show(&mistakes);
                return Exit::Configuration;
            }
        };
        match work(&path) {
            Ok(said) => print(&format!("{said}\n")),
            Err(why) => {
                eprintln!("error: {why}");
                Exit::Failed
            }
        }
    }
}

fn password_of(name: &str) -> Result<Zeroizing<String>, String> {
    if !std::io::stdin().is_terminal() {
        return piped();
    }
    let rule = format!("at least {LEAST_CHARACTERS} characters");
    let first = asked(&format!("New password of {name} ({rule}): "))?;
    check_new(name, &first)?;
    match asked("Once more: ")? == first {
        true => Ok(first),
        false => Err("the two differ; nothing was changed".to_owned()),
    }
}

fn asked(question: &str) -> Result<Zeroizing<String>, String> {
    let asked = ask_hidden(question).map_err(|error| format!("cannot ask: {error}"))?;
    asked.ok_or_else(|| "interrupted; nothing was changed".to_owned())
}

/// The first line of standard input.
fn piped() -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin()
        .lock()
        .take(LONGEST_INPUT)
        .read_to_string(&mut text);
    read.map_err(|error| format!("cannot read the password from standard input: {error}"))?;
    let line = text.split('\n').next().unwrap_or_default();
    Ok(Zeroizing::new(line.trim_end_matches('\r').to_owned()))
}

fn as_json(users: &Users) -> String {
    let user = |user: &users::User| serde_json::json!({ "name": user.name, "role": user.role });
    serde_json::Value::from_iter(users.iter().map(user)).to_string()
}

fn as_table(users: &Users, path: &Path) -> String {
    let width = users.iter().map(|user| user.name.chars().count()).max();
    let Some(width) = width.map(|width| width.max(4)) else {
        let shown = path.display();
        return format!("nobody is in {shown}; `patchbay user add NAME --role ROLE` adds somebody");
    };
    let head = format!("{:<width$}  MAY", "USER");
    let line = |user: &users::User| format!("\n{:<width$}  {}", user.name, user.role);
    std::iter::once(head)
        .chain(users.iter().map(line))
        .collect()
}

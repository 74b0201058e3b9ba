//! The configuration: one TOML file, looked through once, all its mistakes reported at once.
//!
//! 1. `source` reads the file within a limit; the parser gives a tree in which every key and value has its span.
//! 2. `raw` reads each table by the keys of the `registry`: unknown keys, wrong types and numbers out of range are noted,
//!    defaults filled in, and reading goes on.
//! 3. `resolve` puts together the [`Checked`] form: ids are unique, routes lead somewhere, plugins exist, secrets are read.
//!    `schema` holds each plugin's `config` against the schema it exports.
//! 4. Whatever was noted becomes [`Mistakes`], each with its line, a caret and what would be right.
//!
//! The rest of the host sees [`Checked`] only. Lines that are quoted in a message have their secrets cut out.

#![forbid(unsafe_code)]

mod admin;
mod advice;
mod checked;
mod diff;
mod explain;
mod gateway;
mod key;
mod listen;
mod login;
mod mask;
mod mistake;
mod permission;
mod place;
mod plugin_config;
mod raw;
mod reference;
mod registry;
mod registry_frontend;
mod render;
mod resolve;
mod sample;
mod schema;
mod schema_words;
mod source;
#[cfg(test)]
mod tests;
mod whole_schema;

use std::path::{Path, PathBuf};

use patchbay_abi::PluginRole;
use toml::de::DeTable;

pub use admin::AdminAddress;
pub use checked::{
    Authority, Backend, Checked, Deadlines, Frontend, Gateway, Instance, Isolation, Journal,
    Limits, LogFormat, LogLevel, LoginRule, Restart, UnmappedLogins,
};
pub use diff::{Change, differences};
pub use explain::{Explanation, Setting, explain, text_of};
pub use mistake::{Mistake, Mistakes, Severity};
pub use place::Place;
pub use plugin_config::PluginConfig;
pub use reference::reference;
pub use sample::sample;
pub use whole_schema::schema;

use mistake::{Findings, Note};
use place::Lines;

/// Knows the plugins that are installed.
pub trait PluginCatalog {
    /// Looks for a plugin of this name. Asked once for each name and isolation.
    ///
    /// # Errors
    /// Why the plugin cannot be used, in a line or more: the files that were tried, or what is wrong with the one found.
    fn find(&self, name: &str, search: &PluginSearch<'_>) -> Result<PluginInfo, String>;
}

/// Where plugins are looked for, and which of them may be used.
#[derive(Debug, Clone, Copy)]
pub struct PluginSearch<'a> {
    /// Folders, in this order.
    pub folders: &'a [PathBuf],
    /// The list of those that may be loaded; all if `None`.
    pub trusted: Option<&'a Path>,
    /// Where its code is to run.
    pub isolation: Isolation,
}

/// Knows what is listened on on this machine.
pub trait Ports {
    /// Why nobody can listen on this address (`host:port`); `None` if somebody can, or if it is not an address.
    fn taken(&self, address: &str) -> Option<String>;
}

/// Does not look.
struct Unseen;

impl Ports for Unseen {
    fn taken(&self, _address: &str) -> Option<String> {
        None
    }
}

/// What the configuration needs to know of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginInfo {
    /// Which side it is for.
    pub role: PluginRole,
    /// The JSON schema of its settings.
    pub schema: serde_json::Value,
    /// What is allowed but dangerous about its file.
    pub warnings: Vec<String>,
    /// Its file.
    pub path: PathBuf,
}

/// Reads and checks a configuration file, and the files of secrets it names.
///
/// # Errors
/// Everything that is wrong with it, warnings included, in the order of the file.
pub fn load(file: &Path, catalog: &dyn PluginCatalog) -> Result<Checked, Mistakes> {
    load_at(file, catalog, &Unseen)
}

/// As [`load`], and checks that the addresses can be listened on, as far as the plugins' schemas say which they are.
///
/// # Errors
/// As [`load`].
pub fn load_at(
    file: &Path,
    catalog: &dyn PluginCatalog,
    ports: &dyn Ports,
) -> Result<Checked, Mistakes> {
    let text = source::read(file)?;
    check_at(&text, file, catalog, ports)
}

/// Where the gateway that runs with this file keeps its state. Nothing else of the file is looked at, and no plugin.
///
/// # Errors
/// If the file cannot be read, or is not TOML.
pub fn state_path(file: &Path) -> Result<PathBuf, Mistakes> {
    glance(file, gateway::state_path)
}

/// Where the list of users of the gateway with this file is. Nothing else of the file is looked at, and no plugin.
///
/// # Errors
/// Like [`state_path`].
pub fn users_path(file: &Path) -> Result<PathBuf, Mistakes> {
    glance(file, gateway::users_path)
}

/// Where the audit log of the gateway with this file is. Nothing else of the file is looked at, and no plugin.
///
/// # Errors
/// Like [`state_path`].
pub fn audit_path(file: &Path) -> Result<PathBuf, Mistakes> {
    glance(file, gateway::audit_path)
}

/// Which plugins the gateway that runs with this file looks for and may load, as in [`state_path`]: its folders, and
/// the list of those it may load.
///
/// # Errors
/// As [`state_path`].
pub fn plugin_paths(file: &Path) -> Result<(Vec<PathBuf>, Option<PathBuf>), Mistakes> {
    glance(file, gateway::plugin_paths)
}

fn glance<T>(file: &Path, look: fn(&DeTable<'_>, &Path) -> T) -> Result<T, Mistakes> {
    let text = source::read(file)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let (tree, errors) = DeTable::parse_recoverable(text);
    let hidden = mask::secret_lines(text);
    let findings = Findings::new(file, Lines::new(text, hidden));
    if !syntax(&errors, &findings) {
        return Err(findings.finish());
    }
    Ok(look(tree.get_ref(), folder))
}

/// Like [`load`], with the text at hand; `file` serves messages and relative paths.
///
/// # Errors
/// Like [`load`].
pub fn check(text: &str, file: &Path, catalog: &dyn PluginCatalog) -> Result<Checked, Mistakes> {
    check_at(text, file, catalog, &Unseen)
}

fn check_at(
    text: &str,
    file: &Path,
    catalog: &dyn PluginCatalog,
    ports: &dyn Ports,
) -> Result<Checked, Mistakes> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let (tree, errors) = DeTable::parse_recoverable(text);
    let mut hidden = mask::secrets(tree.get_ref());
    if !errors.is_empty() {
        hidden.extend(mask::secret_lines(text));
    }
    let findings = Findings::new(file, Lines::new(text, hidden));
    if !syntax(&errors, &findings) {
        return Err(findings.finish());
    }
    let resolved = resolve::resolve(tree.get_ref(), folder, catalog, ports, &findings);
    if findings.errors() > 0 {
        return Err(findings.finish());
    }
    let resolve::Resolved {
        gateway,
        backends,
        frontends,
    } = resolved;
    let warnings = findings.finish();
    Ok(Checked {
        file: absolute,
        gateway,
        backends,
        frontends,
        warnings,
    })
}

/// Notes what the parser did not accept; says whether the tree is worth looking at nevertheless.
fn syntax(errors: &[toml::de::Error], findings: &Findings) -> bool {
    let mut whole = true;
    for error in errors {
        let repeated = error.message() == "duplicate key";
        let note = Note::error(if repeated {
            "this key is there twice"
        } else {
            "this is not TOML"
        });
        let note = note.at(error.span().unwrap_or(0..0), error.message());
        let more = "once the file is valid TOML, the rest of it is checked";
        findings.note(if repeated {
            note.help("remove one of the two")
        } else {
            note.help(more)
        });
        whole &= repeated;
    }
    whole
}

//! What one key means, what it is in a file, and where that comes from.

use std::fmt;
use std::path::Path;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::advice::advice;
use super::key::{Entry, Section};
use super::place::Lines;
use super::registry::{self, SECTIONS};
use super::{Checked, mask};

/// One key as the registry, or a plugin's schema, has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// As `[gateway] name`.
    pub key: String,
    /// What may be written, if that is known.
    pub takes: Option<String>,
    /// What holds if it is left out, if that is known.
    pub default: Option<String>,
    /// What it means.
    pub doc: String,
    /// What it is in the file, one for each table that has, or could have, the key. Secrets are left out.
    pub values: Vec<Setting>,
}

/// A key in one table of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The table, as an operator would name it.
    pub table: String,
    /// The value as it is written, and its line; `None`: the default holds.
    pub written: Option<(String, usize)>,
}

/// Explains a key by its name (`max_sessions`), or by more of its path (`frontend.max_role`, `frontend.config.queue`).
/// With the text of a `file` that was checked, also what it is there.
///
/// # Errors
/// If there is no such key: a sentence with the nearest one.
pub fn explain(key: &str, file: Option<(&Checked, &str)>) -> Result<Vec<Explanation>, String> {
    let path: Vec<&str> = key.split('.').collect();
    let (name, parents) = path.split_last().ok_or("which key?")?;
    let tree = file.map(|(_, text)| DeTable::parse_recoverable(text).0);
    let written = tree.as_ref().zip(file).map(|(tree, (_, text))| Written {
        tree: tree.get_ref(),
        lines: Lines::new(text, mask::secrets(tree.get_ref())),
    });
    let mut found: Vec<Explanation> = SECTIONS
        .iter()
        .filter(|section| fits(section, parents))
        .filter_map(|section| section.entry(name).map(|entry| (*section, entry)))
        .map(|(section, entry)| of_host(section, entry, written.as_ref()))
        .collect();
    if let Some((checked, _)) = file.filter(|_| parents.is_empty() || parents.contains(&"config")) {
        found.extend(of_plugins(name, checked, written.as_ref()));
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(unknown(name)),
    }
}

/// Whether the path before the name means this section.
fn fits(section: &Section, parents: &[&str]) -> bool {
    let title = words(section);
    parents.iter().all(|parent| title.contains(parent))
}

/// `[[frontend.login]]` → `frontend`, `login`.
fn words(section: &Section) -> Vec<&'static str> {
    let split = section.title.split(|c: char| !c.is_alphanumeric());
    split.filter(|word| !word.is_empty()).collect()
}

fn unknown(name: &str) -> String {
    let mut names: Vec<&str> = SECTIONS
        .iter()
        .flat_map(|section| section.keys.iter().map(|key| key.name()))
        .collect();
    names.sort_unstable();
    names.dedup();
    let hint = advice(name, &names, "the keys of the host are");
    format!(
        "there is no key `{name}`; {hint} (a plugin's own keys are known with the file: patchbay explain KEY FILE)"
    )
}

/// A file, with what must not be shown of it.
struct Written<'a> {
    tree: &'a DeTable<'a>,
    lines: Lines,
}

fn of_host(section: &Section, entry: &dyn Entry, written: Option<&Written<'_>>) -> Explanation {
    // What a secret is, is nobody's business.
    let secret = std::ptr::eq(section, &registry::SECRET);
    let values = written.filter(|_| !secret).map_or(Vec::new(), |written| {
        tables(section, written.tree)
            .into_iter()
            .map(|(name, table)| setting(name, table, entry.name(), written))
            .collect()
    });
    Explanation {
        key: format!("{} {}", section.title, entry.name()),
        takes: Some(plain(&entry.takes())),
        default: Some(plain(&entry.default_text())),
        doc: entry.doc().to_owned(),
        values,
    }
}

/// Markdown's quotes are of no use in a terminal.
fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// The tables of the file that a section is for, with their names.
fn tables<'a>(section: &Section, tree: &'a DeTable<'a>) -> Vec<(String, &'a DeTable<'a>)> {
    let mut found = vec![(String::new(), tree)];
    for word in words(section) {
        if !["gateway", "backend", "frontend", "login"].contains(&word) {
            continue;
        }
        found = found
            .into_iter()
            .flat_map(|(name, table)| below(&name, table, word))
            .collect();
    }
    found
}

fn below<'a>(name: &str, table: &'a DeTable<'a>, word: &str) -> Vec<(String, &'a DeTable<'a>)> {
    let named = |inner: &'a DeTable<'a>, position: usize| {
        let text = |key: &str| inner.get(key).and_then(|value| value.get_ref().as_str());
        let own = text("id")
            .or_else(|| text("client_user"))
            .map_or_else(|| format!("{position}"), str::to_owned);
        (format!("{name} {word} {own}").trim().to_owned(), inner)
    };
    match table.get(word).map(|value| value.get_ref()) {
        Some(DeValue::Table(inner)) => vec![(format!("{name} {word}").trim().to_owned(), inner)],
        Some(DeValue::Array(items)) => items
            .iter()
            .filter_map(|item| item.get_ref().as_table())
            .enumerate()
            .map(|(position, inner)| named(inner, position + 1))
            .collect(),
        _ => Vec::new(),
    }
}

fn setting(name: String, table: &DeTable<'_>, key: &str, written: &Written<'_>) -> Setting {
    let value = table.get(key).map(|value| {
        let place = written.lines.place(value.span());
        let shown = match value.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) => place.text.trim().to_owned(),
            _ => place
                .text
                .get(place.marked.clone())
                .unwrap_or("…")
                .to_owned(),
        };
        (shown, place.line)
    });
    Setting {
        table: if name.is_empty() {
            "the file".to_owned()
        } else {
            name
        },
        written: value,
    }
}

/// What plugins' schemas say of a key at their top.
fn of_plugins(name: &str, checked: &Checked, written: Option<&Written<'_>>) -> Vec<Explanation> {
    let backends = checked
        .backends
        .iter()
        .map(|backend| ("backend", &backend.instance));
    let frontends = checked
        .frontends
        .iter()
        .map(|frontend| ("frontend", &frontend.instance));
    backends
        .chain(frontends)
        .filter_map(|(kind, instance)| {
            let schema = instance.schema.pointer("/properties")?.get(name)?;
            let title = format!("{kind} {}", instance.id);
            Some(Explanation {
                key: format!("[{kind}.config] {name} (plugin {})", instance.plugin),
                takes: None,
                default: schema.get("default").map(Value::to_string),
                doc: schema["description"]
                    .as_str()
                    .unwrap_or("(not documented)")
                    .to_owned(),
                values: written.map_or(Vec::new(), |written| {
                    below("", written.tree, kind)
                        .into_iter()
                        .filter(|(table, _)| *table == title)
                        .flat_map(|(table, inner)| below(&table, inner, "config"))
                        .map(|(table, inner)| setting(table, inner, name, written))
                        .collect()
                }),
            })
        })
        .collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.key)?;
        writeln!(out, "    {}", self.doc.replace('\n', "\n    "))?;
        if let Some(takes) = &self.takes {
            writeln!(out, "    takes    {takes}")?;
        }
        if let Some(default) = &self.default {
            writeln!(out, "    default  {default}")?;
        }
        for value in &self.values {
            match &value.written {
                Some((text, line)) => {
                    writeln!(out, "    {}: {text}  (line {line})", value.table)?;
                }
                None => writeln!(out, "    {}: the default", value.table)?,
            }
        }
        Ok(())
    }
}

/// The text of a file, for [`explain`].
///
/// # Errors
/// If it cannot be read.
pub fn text_of(file: &Path) -> Result<String, super::Mistakes> {
    super::source::read(file).map(|text| text.to_string())
}

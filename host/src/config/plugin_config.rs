//! A plugin's own settings: from TOML to the JSON that plugins take.
//!
//! This is the one place where a plugin's settings are changed on their way: a table with the single key `file`, which is
//! how plugins are told where a secret is (`password = { file = "password.txt" }`), gets its path made absolute, counted
//! from the folder of the configuration file. So a plugin need not know where that is. The host does not read the file.

use std::fmt;
use std::path::Path;

use serde_json::{Map, Number, Value};
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use super::mistake::{Findings, Note, Span};
use super::permission::others_can_read;

/// The settings of one plugin instance: a JSON object that may hold secrets in plain text, so `Debug` shows its keys only.
#[derive(Clone, PartialEq)]
pub struct PluginConfig(Value);

impl PluginConfig {
    pub(super) fn new(settings: Map<String, Value>) -> Self {
        Self(Value::Object(settings))
    }

    /// The object.
    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for PluginConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self
            .0
            .as_object()
            .map(|object| object.keys().collect())
            .unwrap_or_default();
        write!(out, "PluginConfig({keys:?})")
    }
}

/// Turns settings into JSON and notes what JSON cannot express. Dates become text.
pub(super) struct Converter<'a> {
    /// The folder of the configuration file, absolute.
    pub folder: &'a Path,
    pub findings: &'a Findings,
}

impl Converter<'_> {
    pub(super) fn object(&self, table: &DeTable<'_>) -> Map<String, Value> {
        let entries = table.iter();
        entries
            .map(|(key, value)| {
                (
                    key.get_ref().to_string(),
                    self.value(value.get_ref(), value.span()),
                )
            })
            .collect()
    }

    // The parser limits how deep tables and lists can be nested, hence the recursion here.
    fn value(&self, value: &DeValue<'_>, at: Span) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => self.number(integer(number), "64 bits", at),
            DeValue::Float(number) => self.number(float(number), "JSON", at),
            DeValue::Boolean(yes) => Value::Bool(*yes),
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Array(items) => items
                .iter()
                .map(|item| self.value(item.get_ref(), item.span()))
                .collect(),
            DeValue::Table(table) => self.table(table),
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let mut object = self.object(table);
        match only_text(table) {
            Some(("file", file, at)) => {
                let path = self.folder.join(file);
                warn_if_others_can_read(&path, at, self.findings);
                object.insert(
                    "file".to_owned(),
                    Value::String(path.to_string_lossy().into_owned()),
                );
            }
            Some(("value", _, at)) => warn_of_plain_text(at, self.findings),
            _ => {}
        }
        Value::Object(object)
    }

    fn number(&self, number: Option<Number>, too_much_for: &str, at: Span) -> Value {
        number.map(Value::Number).unwrap_or_else(|| {
            let note = Note::error(format!("this number does not fit into {too_much_for}"));
            self.findings
                .note(note.at(at, "cannot be passed to the plugin"));
            Value::Null
        })
    }
}

/// Says that a secret stands in the configuration itself.
pub(super) fn warn_of_plain_text(at: Span, findings: &Findings) {
    let note = Note::warning("a secret stands in the configuration in plain text")
        .at(at, "visible to every reader");
    findings.note(note.help(
        "put it into a file of its own: { file = \"…\" }, or into the environment: { env = \"…\" }",
    ));
}

/// Says that a secret's file can be read by anybody.
pub(super) fn warn_if_others_can_read(path: &Path, at: Span, findings: &Findings) {
    if others_can_read(path) {
        let note = Note::warning("the file of a secret can be read by every user of this machine");
        findings.note(
            note.at(at, "readable by others")
                .help(format!("run: chmod o-rwx {}", path.display())),
        );
    }
}

/// The one key of a table with one key, if its value is a text: the form in which a secret's whereabouts are written.
fn only_text<'t>(table: &'t DeTable<'_>) -> Option<(&'t str, &'t str, Span)> {
    let (key, value) = table.iter().next().filter(|_| table.len() == 1)?;
    Some((
        key.get_ref().as_ref(),
        value.get_ref().as_str()?,
        value.span(),
    ))
}

fn integer(number: &DeInteger<'_>) -> Option<Number> {
    let (digits, radix) = (number.as_str(), number.radix());
    let small = i64::from_str_radix(digits, radix).ok().map(Number::from);
    small.or_else(|| u64::from_str_radix(digits, radix).ok().map(Number::from))
}

fn float(number: &DeFloat<'_>) -> Option<Number> {
    number.as_str().parse().ok().and_then(Number::from_f64)
}

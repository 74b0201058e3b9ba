//! A plugin's settings against the schema that the plugin exports.
//!
//! The checker speaks of JSON paths and schema keywords; here that becomes a line of the file and a sentence.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::advice::advice;
use super::mistake::{Findings, Note, Span};
use super::plugin_config::PluginConfig;
use super::raw::{FoundTable, noun};
use super::schema_words::Schema;
use patchbay_sdk::model::nearest;

/// Notes everything the schema does not accept. `found` is the table `config`, if there is one; `header` that of the
/// instance, for what is missing altogether.
pub(super) fn check(
    schema: &Value,
    config: &PluginConfig,
    found: Option<&FoundTable<'_>>,
    header: Span,
    findings: &Findings,
) {
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => return unusable(&error, header, findings),
    };
    let check = Check {
        schema: Schema::whole(schema),
        found,
        header,
        findings,
    };
    for error in validator.iter_errors(config.as_value()) {
        check.explain(&error);
    }
}

fn unusable(error: &ValidationError<'_>, header: Span, findings: &Findings) {
    let note =
        Note::error("the plugin's schema is not valid").at(header, "settings cannot be checked");
    findings.note(note.help(format!("tell the plugin's author: {error}")));
}

struct Check<'a> {
    schema: Schema<'a>,
    found: Option<&'a FoundTable<'a>>,
    header: Span,
    findings: &'a Findings,
}

/// A setting as it is called in messages, and where it stands.
struct Setting<'a> {
    name: String,
    at: Span,
    /// `None` for the settings as a whole, and if they are missing.
    value: Option<&'a DeValue<'a>>,
    /// If it is a table: its keys.
    table: Option<&'a DeTable<'a>>,
}

impl Setting<'_> {
    /// The word that was probably meant, as advice; empty if there is none.
    fn meant(&self, node: &Schema<'_>) -> String {
        let text = self.value.and_then(DeValue::as_str);
        let word = text.and_then(|text| nearest(text, node.words()));
        word.map(|word| format!("did you mean \"{word}\"?"))
            .unwrap_or_default()
    }
}

impl<'a> Check<'a> {
    fn explain(&self, error: &ValidationError<'_>) {
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                unexpected.iter().for_each(|key| self.unknown(error, key));
            }
            Kind::Required { property } => {
                self.missing(error, property.as_str().unwrap_or_default())
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                match meant(error, context) {
                    Some(branch) => branch.iter().for_each(|error| self.explain(error)),
                    None => self.no_alternative(error),
                }
            }
            _ => self.wrong(error),
        }
    }

    fn unknown(&self, error: &ValidationError<'_>, key: &str) {
        let setting = self.setting(error.instance_path());
        let written = setting.table.and_then(|table| table.get_key_value(key));
        let at = written.map_or(setting.at, |(key, _)| key.span());
        let known = self.node(error).properties();
        let note =
            Note::error(format!("unknown key `{key}` in `{}`", setting.name)).at(at, "unknown");
        self.findings
            .note(note.help(advice(key, &known, "the plugin knows")));
    }

    fn missing(&self, error: &ValidationError<'_>, key: &str) {
        let setting = self.setting(error.instance_path());
        let property = self.node(error).property(key);
        let wanted = property
            .as_ref()
            .map(|property| property.describe())
            .unwrap_or_default();
        let doc = property.as_ref().and_then(Schema::doc).unwrap_or_default();
        let note = Note::error(format!("`{key}` is missing in `{}`", setting.name));
        let note = note.at(setting.at, format!("needs `{key}`"));
        let what = if wanted.is_empty() {
            String::new()
        } else {
            format!(", {wanted}")
        };
        self.findings
            .note(note.help(format!("add `{key}`{what}\n{doc}")));
    }

    fn no_alternative(&self, error: &ValidationError<'_>) {
        let setting = self.setting(error.instance_path());
        let node = self.node(error);
        let note = Note::error(format!("`{}` must be {}", setting.name, node.describe()));
        let help = setting.meant(&node);
        let note = note.at(setting.at, "none of these").help(help);
        self.findings
            .note(note.help(node.doc().unwrap_or_default()));
    }

    fn wrong(&self, error: &ValidationError<'_>) {
        let setting = self.setting(error.instance_path());
        let node = self.node(error);
        let label = match error.kind() {
            Kind::Type { .. } => setting
                .value
                .map(|value| format!("this is {}", noun(value))),
            Kind::Minimum { .. } | Kind::ExclusiveMinimum { .. } => Some("too small".to_owned()),
            Kind::Maximum { .. } | Kind::ExclusiveMaximum { .. } => Some("too large".to_owned()),
            _ => None,
        };
        let message = format!("`{}` {}", setting.name, demand(error, &node));
        let help = setting.meant(&node);
        let note = Note::error(message)
            .at(setting.at, label.unwrap_or_default())
            .help(help);
        self.findings
            .note(note.help(node.doc().unwrap_or_default()));
    }

    /// The part of the schema whose keyword was violated.
    fn node(&self, error: &ValidationError<'_>) -> Schema<'a> {
        self.schema.parent_of(error.schema_path().as_str())
    }

    /// Follows a path of the JSON through the file.
    fn setting(&self, path: &Location) -> Setting<'a> {
        let mut name = "config".to_owned();
        let mut at = self
            .found
            .map_or_else(|| self.header.clone(), |found| found.at.clone());
        let (mut value, mut table) = (None, self.found.map(|found| found.table));
        for segment in path.iter() {
            name.push_str(&step(&segment));
            let next = match &segment {
                LocationSegment::Property(key) => table.and_then(|table| table.get(key.as_ref())),
                LocationSegment::Index(index) => {
                    value.and_then(|value: &DeValue<'_>| value.get(*index))
                }
            };
            at = next.map_or(at, |next| next.span());
            value = next.map(|next| next.get_ref());
            table = value.and_then(DeValue::as_table);
        }
        Setting {
            name,
            at,
            value,
            table,
        }
    }
}

fn step(segment: &LocationSegment<'_>) -> String {
    match segment {
        LocationSegment::Property(key) => format!(".{key}"),
        LocationSegment::Index(index) => format!("[{index}]"),
    }
}

/// What must hold, to be put after the name of the setting. The value itself is never in it: it may be a secret.
fn demand(error: &ValidationError<'_>, node: &Schema<'_>) -> String {
    match error.kind() {
        Kind::MinItems { limit } => format!("needs at least {limit} entries"),
        Kind::MaxItems { limit } => format!("may have {limit} entries at most"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("needs at least {limit} characters"),
        Kind::MaxLength { limit } => format!("may have {limit} characters at most"),
        Kind::UniqueItems => "has an entry twice".to_owned(),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Format { format } => format!("must have the form of: {format}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        _ if !node.describe().is_empty() => format!("must be {}", node.describe()),
        _ => format!("is refused: {}", error.masked_with("it")),
    }
}

/// Of several alternatives, the one that was meant, if that can be told: the only one of the right type and with the
/// right tag, or the only one that is wrong merely further inside.
fn meant<'e>(
    error: &ValidationError<'_>,
    branches: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e Vec<ValidationError<'static>>> {
    let base = depth(error);
    let ruled_out = |error: &ValidationError<'_>| match error.kind() {
        Kind::Type { .. } => depth(error) == base,
        Kind::Constant { .. } | Kind::Enum { .. } => depth(error) <= base + 1,
        _ => false,
    };
    let inside =
        |branch: &&Vec<ValidationError<'_>>| branch.iter().all(|error| depth(error) > base);
    let possible = branches
        .iter()
        .filter(|branch| !branch.iter().any(ruled_out));
    only(possible.clone()).or_else(|| only(possible.filter(inside)))
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path().iter().count()
}

//! One table of the file, read by the keys of the registry: what is missing gets its default, what is wrong is noted.

use toml::de::{DeTable, DeValue};

use super::advice::advice;
use super::key::{Choice, Key, Number, Paths, Presence, Section, Tables, Text};
use super::mistake::{Findings, Note, Span};
use super::registry::home_of;
use patchbay_sdk::model::nearest;

/// A table whose keys are all known, or have been complained about.
///
/// Its methods give a usable value even after a mistake, so that everything else is looked at too.
pub(super) struct Fields<'a> {
    section: &'static Section,
    /// The table's header, for what is missing in it.
    at: Span,
    table: &'a DeTable<'a>,
    findings: &'a Findings,
}

/// A text and where it stands.
pub(super) struct Found<'a> {
    pub text: &'a str,
    pub at: Span,
}

/// A table and where it stands.
pub(super) struct FoundTable<'a> {
    pub table: &'a DeTable<'a>,
    pub at: Span,
}

impl<'a> Fields<'a> {
    /// Notes keys the section does not have.
    pub(super) fn open(
        section: &'static Section,
        found: FoundTable<'a>,
        findings: &'a Findings,
    ) -> Self {
        let fields = Self {
            section,
            at: found.at,
            table: found.table,
            findings,
        };
        for (key, _) in fields.table.iter() {
            if section.entry(key.get_ref()).is_none() {
                fields.unknown(key.get_ref(), key.span());
            }
        }
        fields
    }

    /// The table's header.
    pub(super) fn at(&self) -> Span {
        self.at.clone()
    }

    /// The value of a key, whatever it is.
    pub(super) fn span_of(&self, name: &str) -> Option<Span> {
        self.table.get(name).map(|value| value.span())
    }

    pub(super) fn number(&self, key: &Key<Number>) -> u64 {
        let Some(value) = self.table.get(key.name) else {
            return key.kind.default;
        };
        let DeValue::Integer(integer) = value.get_ref() else {
            self.not_a_number(key, value.get_ref(), value.span());
            return key.kind.default;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        number
            .filter(|number| (key.kind.min..=key.kind.max).contains(number))
            .unwrap_or_else(|| {
                let message = format!("`{}` must be from {}", key.name, key.kind.range());
                self.findings.note(
                    Note::error(message)
                        .at(value.span(), "out of range")
                        .help(explained(key)),
                );
                key.kind.default
            })
    }

    /// A text; `None` if it is missing or wrong, which is noted unless it may be missing.
    pub(super) fn text(&self, key: &Key<Text>) -> Option<Found<'a>> {
        let Some(value) = self.table.get(key.name) else {
            return self.absent(key);
        };
        let at = value.span();
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(
                key.name,
                "a text",
                value.get_ref(),
                at,
                format!("for example: {} = \"…\"", key.name),
            );
            return None;
        };
        let wrong = match text {
            "" => Some("must not be empty"),
            _ if !key.kind.verbatim && text.contains(char::is_control) => {
                Some("must be one line of plain text")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.findings.note(
                Note::error(format!("`{}` {wrong}", key.name))
                    .at(at, "")
                    .help(explained(key)),
            );
            return None;
        }
        Some(Found { text, at })
    }

    pub(super) fn choice<T: Copy>(&self, key: &Key<Choice<T>>) -> T {
        let Some(value) = self.table.get(key.name) else {
            return key.kind.default;
        };
        let words = key.kind.words();
        let Some(text) = value.get_ref().as_str() else {
            let example = words
                .first()
                .map(|word| format!("for example: {} = \"{word}\"", key.name));
            self.wrong_type(
                key.name,
                "a text",
                value.get_ref(),
                value.span(),
                example.unwrap_or_default(),
            );
            return key.kind.default;
        };
        let chosen = key.kind.options.iter().find(|(word, _)| *word == text);
        chosen.map(|(_, chosen)| *chosen).unwrap_or_else(|| {
            let message = format!("`{}` must be one of {}", key.name, key.kind.quoted());
            let note = Note::error(message).at(value.span(), "not one of them");
            let meant = nearest(text, words.iter().copied())
                .map(|word| format!("did you mean \"{word}\"?"));
            self.findings
                .note(note.help(meant.unwrap_or_else(|| explained(key))));
            key.kind.default
        })
    }

    pub(super) fn paths(&self, key: &Key<Paths>) -> Vec<&'a str> {
        let Some(value) = self.table.get(key.name) else {
            return key.kind.default.to_vec();
        };
        let Some(array) = value.get_ref().as_array() else {
            let example = format!(
                "for example: {} = [\"/usr/lib/patchbay/plugins\"]",
                key.name
            );
            self.wrong_type(
                key.name,
                "a list of folders",
                value.get_ref(),
                value.span(),
                example,
            );
            return Vec::new();
        };
        let mut paths = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(path) if !path.is_empty() && !path.contains('\0') => paths.push(path),
                _ => self.findings.note(
                    Note::error(format!(
                        "each of `{}` must be the name of a folder",
                        key.name
                    ))
                    .at(item.span(), "not a folder's name"),
                ),
            }
        }
        paths
    }

    /// A single table; `None` if it is missing or wrong, which is noted unless it may be missing.
    pub(super) fn table(&self, key: &Key<Tables>) -> Option<FoundTable<'a>> {
        let Some(value) = self.table.get(key.name) else {
            if key.kind.required {
                self.missing(key.name, "{ … }", key.doc);
            }
            return None;
        };
        let found = value.get_ref().as_table();
        if found.is_none() {
            let example = match value.get_ref() {
                DeValue::Array(_) => format!("write [{}], with single brackets", key.name),
                _ => format!("for example: {} = {{ … }}", key.name),
            };
            self.wrong_type(key.name, "a table", value.get_ref(), value.span(), example);
        }
        found.map(|table| FoundTable {
            table,
            at: value.span(),
        })
    }

    /// All tables of a list of tables.
    pub(super) fn tables(&self, key: &Key<Tables>) -> Vec<FoundTable<'a>> {
        let value = self.table.get(key.name);
        let items: Vec<_> = match value.map(|value| (value, value.get_ref().as_array())) {
            Some((_, Some(array))) => array.iter().collect(),
            Some((value, None)) => vec![value],
            None => Vec::new(),
        };
        if items.is_empty() && key.kind.required {
            self.no_tables(key);
        }
        let is_list = value.is_none_or(|value| value.get_ref().is_array());
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref().as_table().filter(|_| is_list) {
                Some(table) => tables.push(FoundTable {
                    table,
                    at: item.span(),
                }),
                None => self.not_tables(key, item.get_ref(), item.span()),
            }
        }
        tables
    }

    fn no_tables(&self, key: &Key<Tables>) {
        let help = format!(
            "add a table that begins with the line [[{}]]\n{}",
            key.name, key.doc
        );
        self.findings
            .note(Note::error(format!("there is no [[{}]]", key.name)).help(help));
    }

    fn not_tables(&self, key: &Key<Tables>, value: &DeValue<'_>, at: Span) {
        let advice = format!(
            "write [[{}]], with double brackets, once for each",
            key.name
        );
        self.wrong_type(key.name, "a list of tables", value, at, advice);
    }

    fn absent(&self, key: &Key<Text>) -> Option<Found<'a>> {
        match key.kind.presence {
            Presence::Required => {
                self.missing(key.name, "\"…\"", key.doc);
                None
            }
            Presence::Optional(_) => None,
            Presence::Default(text) => Some(Found {
                text,
                at: self.at(),
            }),
        }
    }

    fn missing(&self, name: &str, example: &str, doc: &str) {
        let note = Note::error(format!("`{name}` is missing in {}", self.section.title));
        let note = note.at(self.at(), format!("needs `{name}`"));
        self.findings
            .note(note.help(format!("add {name} = {example}\n{doc}")));
    }

    fn unknown(&self, name: &str, at: Span) {
        let section = self.section;
        let known: Vec<&str> = section.keys.iter().map(|key| key.name()).collect();
        let help = match home_of(name, section) {
            _ if self.findings.is_full() => String::new(),
            Some(home) => format!("`{name}` belongs in {}", home.title),
            None => advice(name, &known, &format!("the keys of {} are", section.title)),
        };
        let note = Note::error(format!("unknown key `{name}` in {}", section.title));
        self.findings.note(note.at(at, "unknown").help(help));
    }

    fn not_a_number(&self, key: &Key<Number>, value: &DeValue<'_>, at: Span) {
        let quoted = value.as_str().and_then(|text| text.parse::<u64>().ok());
        let help = match quoted {
            Some(number) => format!("write it without quotes: {} = {number}", key.name),
            None => format!(
                "for example: {} = {}\n{}",
                key.name,
                key.kind.default,
                explained(key)
            ),
        };
        self.wrong_type(key.name, "a whole number", value, at, help);
    }

    fn wrong_type(&self, name: &str, wanted: &str, value: &DeValue<'_>, at: Span, help: String) {
        let found = noun(value);
        let note = Note::error(format!("`{name}` must be {wanted}, not {found}"));
        self.findings
            .note(note.at(at, format!("this is {found}")).help(help));
    }
}

/// What a value is, in words.
pub(super) fn noun(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn explained<K>(key: &Key<K>) -> String {
    format!("`{}`: {}", key.name, key.doc)
}

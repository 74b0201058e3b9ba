//! What a key of the registry can be: a number, a text, a choice, folders, tables.

use serde_json::{Value, json};

/// One key: its name, what it takes, and one sentence for whoever writes it.
pub(super) struct Key<K> {
    pub name: &'static str,
    pub kind: K,
    pub doc: &'static str,
}

/// A table of the configuration and the keys it may hold.
pub(super) struct Section {
    /// As it is written in the file, or in words.
    pub title: &'static str,
    pub doc: &'static str,
    pub keys: &'static [&'static dyn Entry],
}

/// Any key, as documentation and suggestions see it.
pub(super) trait Entry: Sync {
    fn name(&self) -> &'static str;
    fn doc(&self) -> &'static str;
    /// What may be written, in words: `whole number, 1 to 600 s`.
    fn takes(&self) -> String;
    /// What holds if the key is left out, in Markdown; "required" where it cannot be.
    fn default_text(&self) -> String;
    /// What may be written, as JSON Schema.
    fn schema(&self) -> Value;
    fn is_required(&self) -> bool;
}

impl<K: Kind + Sync> Entry for Key<K> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn doc(&self) -> &'static str {
        self.doc
    }
    fn takes(&self) -> String {
        self.kind.takes()
    }
    fn default_text(&self) -> String {
        self.kind.default_text()
    }
    fn schema(&self) -> Value {
        self.kind.schema()
    }
    fn is_required(&self) -> bool {
        self.kind.is_required()
    }
}

/// See [`Entry`].
pub(super) trait Kind {
    fn takes(&self) -> String;
    fn default_text(&self) -> String;
    fn schema(&self) -> Value;
    fn is_required(&self) -> bool {
        false
    }
}

/// A whole number from `min` to `max`, both included.
pub(super) struct Number {
    pub default: u64,
    pub min: u64,
    pub max: u64,
    /// Empty for a mere count.
    pub unit: &'static str,
}

impl Number {
    pub(super) const fn new(default: u64, min: u64, max: u64, unit: &'static str) -> Self {
        Self {
            default,
            min,
            max,
            unit,
        }
    }

    /// `1 to 600 s`.
    pub(super) fn range(&self) -> String {
        let unit = if self.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", self.unit)
        };
        format!("{} to {}{unit}", self.min, self.max)
    }
}

impl Kind for Number {
    fn takes(&self) -> String {
        format!("whole number, {}", self.range())
    }
    fn default_text(&self) -> String {
        format!("`{}`", self.default)
    }
    fn schema(&self) -> Value {
        json!({"type": "integer", "minimum": self.min, "maximum": self.max, "default": self.default})
    }
}

/// What holds if a text is left out.
pub(super) enum Presence {
    Required,
    /// May be left out; the words say what that means.
    Optional(&'static str),
    Default(&'static str),
}

/// A text that is not empty.
pub(super) struct Text {
    pub presence: Presence,
    /// Whether control characters are allowed.
    pub verbatim: bool,
}

impl Text {
    pub(super) const fn new(presence: Presence) -> Self {
        Self {
            presence,
            verbatim: false,
        }
    }
    pub(super) const fn verbatim(presence: Presence) -> Self {
        Self {
            presence,
            verbatim: true,
        }
    }
}

impl Kind for Text {
    fn takes(&self) -> String {
        "text".to_owned()
    }
    fn default_text(&self) -> String {
        match self.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional("") => "–".to_owned(),
            Presence::Optional(meaning) => meaning.to_owned(),
            Presence::Default(text) => format!("`\"{text}\"`"),
        }
    }
    fn schema(&self) -> Value {
        match self.presence {
            Presence::Default(text) => json!({"type": "string", "minLength": 1, "default": text}),
            _ => json!({"type": "string", "minLength": 1}),
        }
    }
    fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Required)
    }
}

/// One of a few words, each standing for a value.
pub(super) struct Choice<T: 'static> {
    pub options: &'static [(&'static str, T)],
    pub default: T,
    /// The default in Markdown.
    pub default_text: &'static str,
}

impl<T> Choice<T> {
    /// `"a", "b", "c"`.
    pub(super) fn quoted(&self) -> String {
        self.words()
            .iter()
            .map(|word| format!("\"{word}\""))
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(super) fn words(&self) -> Vec<&'static str> {
        self.options.iter().map(|(word, _)| *word).collect()
    }
}

impl<T> Kind for Choice<T> {
    fn takes(&self) -> String {
        self.words()
            .iter()
            .map(|word| format!("`\"{word}\"`"))
            .collect::<Vec<_>>()
            .join(", ")
    }
    fn default_text(&self) -> String {
        self.default_text.to_owned()
    }
    fn schema(&self) -> Value {
        json!({"enum": self.words()})
    }
}

/// A list of folders.
pub(super) struct Paths {
    pub default: &'static [&'static str],
}

impl Kind for Paths {
    fn takes(&self) -> String {
        "list of folders".to_owned()
    }
    fn default_text(&self) -> String {
        format!("`{:?}`", self.default)
    }
    fn schema(&self) -> Value {
        json!({"type": "array", "items": {"type": "string", "minLength": 1}, "default": self.default})
    }
}

/// One table (`[x]`) or many (`[[x]]`).
pub(super) struct Tables {
    pub many: bool,
    pub required: bool,
}

impl Tables {
    pub(super) const ONE: Self = Self {
        many: false,
        required: false,
    };
    pub(super) const ANY: Self = Self {
        many: true,
        required: false,
    };
    pub(super) const AT_LEAST_ONE: Self = Self {
        many: true,
        required: true,
    };
}

impl Kind for Tables {
    fn takes(&self) -> String {
        if self.many { "tables" } else { "table" }.to_owned()
    }
    fn default_text(&self) -> String {
        match (self.required, self.many) {
            (true, true) => "at least one",
            (true, false) => "required",
            (false, true) => "none",
            (false, false) => "empty",
        }
        .to_owned()
    }
    fn schema(&self) -> Value {
        match self.many {
            true => json!({"type": "array", "items": {"type": "object"}}),
            false => json!({"type": "object"}),
        }
    }
    fn is_required(&self) -> bool {
        self.required
    }
}

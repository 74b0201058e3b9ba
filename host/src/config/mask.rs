//! Which parts of a configuration file are secret and must not be quoted in messages.
//!
//! Rather too much than too little: whatever stands under a key that sounds secret, even if misspelt, whatever has the
//! form `{ value = … }`, and addresses with a password in them.

use toml::de::{DeTable, DeValue};

use super::mistake::Span;

const SOUNDS_SECRET: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "credential",
    "apikey",
    "privatekey",
];
const IS_SECRET: &[&str] = &["value", "pass", "pw", "key"];
/// Keys that say where a secret is, and are worth quoting.
const SAYS_WHERE: &[&str] = &["file", "env", "path"];

/// The secret values of a parsed file.
pub(super) fn secrets(table: &DeTable<'_>) -> Vec<Span> {
    let mut spans = Vec::new();
    in_table(table, false, &mut spans);
    spans
}

/// The secret lines of a file that does not parse: from the first `=` on, where a word before or after it sounds secret.
pub(super) fn secret_lines(text: &str) -> Vec<Span> {
    let mut start = 0;
    let mut spans = Vec::new();
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let secret = line.split(not_in_a_key).any(is_secret) || is_address_with_password(line);
        if let Some(equals) = line.find('=').filter(|_| secret) {
            spans.push((start + equals + 1).min(end)..end);
        }
        start += line.len();
    }
    spans
}

fn not_in_a_key(c: char) -> bool {
    !c.is_alphanumeric() && c != '_' && c != '-'
}

fn in_table(table: &DeTable<'_>, secret: bool, spans: &mut Vec<Span>) {
    for (key, value) in table.iter() {
        let key = key.get_ref().as_ref();
        let secret = is_secret(key) || (secret && !SAYS_WHERE.contains(&key));
        in_value(value.get_ref(), value.span(), secret, spans);
    }
}

fn in_value(value: &DeValue<'_>, span: Span, secret: bool, spans: &mut Vec<Span>) {
    match value {
        DeValue::Table(table) => in_table(table, secret, spans),
        DeValue::Array(array) => {
            for value in array.iter() {
                in_value(value.get_ref(), value.span(), secret, spans);
            }
        }
        DeValue::String(text) if secret || is_address_with_password(text) => spans.push(span),
        _ if secret => spans.push(span),
        _ => {}
    }
}

fn is_address_with_password(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(_, rest)| rest.contains('@'))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let words: Vec<&str> = key.split(['_', '-', '.']).collect();
    if words
        .last()
        .is_some_and(|last| words.len() > 1 && SAYS_WHERE.contains(last))
    {
        return false;
    }
    let joined = words.concat();
    SOUNDS_SECRET.iter().any(|word| joined.contains(word))
        || words
            .iter()
            .any(|word| IS_SECRET.contains(word) || is_nearly_secret(word))
}

/// Whether a word is one that sounds secret, with a slip or two.
fn is_nearly_secret(word: &str) -> bool {
    let slips = |known: &str| strsim::damerau_levenshtein(word, known) <= known.len() / 3;
    word.len() <= 16 && SOUNDS_SECRET.iter().any(|known| slips(known))
}

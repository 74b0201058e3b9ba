//! What a program sees of the gateway's environment.

use std::collections::BTreeMap;

/// Variables that programs see in any case.
pub const USUAL: [&str; 9] = [
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
];

/// The usual variables and those to keep, as far as the gateway has them, and more. The others may be somebody's passwords.
#[must_use]
pub fn environment(keep: &[String], more: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let names = USUAL.iter().copied().chain(keep.iter().map(String::as_str));
    let mut all: BTreeMap<String, String> = names
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
    all.extend(more);
    all
}

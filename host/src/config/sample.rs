//! A configuration to begin with, commented, written from the registry so that it cannot be stale.

use super::key::{Entry, Section};
use super::registry::{FRONTEND, GATEWAY};

const SAMPLE: &str = include_str!("sample.toml");

/// What most sites need, with the host's other keys as comments.
pub fn sample() -> String {
    let gateway = options(&GATEWAY, &["plugin_path"]);
    let frontend = options(&FRONTEND, &["id", "plugin", "backend", "config", "login"]);
    SAMPLE
        .replace("@GATEWAY@\n", &gateway)
        .replace("@FRONTEND@\n", &frontend)
}

/// The keys of a section, as comments with their defaults, without those that stand in the sample anyway.
fn options(section: &Section, written: &[&str]) -> String {
    section
        .keys
        .iter()
        .filter(|key| !written.contains(&key.name()))
        .map(|key| option(*key))
        .collect()
}

fn option(key: &dyn Entry) -> String {
    let default = key.default_text();
    let takes = key.takes().replace('`', "");
    let first = takes
        .split(", ")
        .next()
        .filter(|word| word.starts_with('"'));
    // Words in place of a default say what the key's absence means.
    let shown = match default.starts_with('`') {
        true => default.trim_matches('`'),
        false => first.unwrap_or("\"…\""),
    };
    format!("# {}\n# {} = {shown}\n", key.doc(), key.name())
}

//! A catalog with two plugins that do not exist.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::config::{
    Checked, Mistakes, PluginCatalog, PluginInfo, PluginRole, PluginSearch, check,
};

pub(super) struct Fake;

impl PluginCatalog for Fake {
    fn find(&self, name: &str, search: &PluginSearch<'_>) -> Result<PluginInfo, String> {
        let (role, schema) = match name {
            "nicos" => (PluginRole::Backend, nicos()),
            "activemq" => (PluginRole::Frontend, activemq()),
            "broken" => (PluginRole::Backend, json!({"type": 7})),
            _ => return Err(not_found(name, search.folders)),
        };
        Ok(PluginInfo {
            role,
            schema,
            warnings: vec![],
            path: format!("/plugins/{name}.so").into(),
        })
    }
}

fn not_found(name: &str, search_path: &[PathBuf]) -> String {
    let tried = search_path
        .iter()
        .map(|folder| format!("  {}", folder.join(name).display()));
    std::iter::once("there is none of these files:".to_owned())
        .chain(tried)
        .collect::<Vec<_>>()
        .join("\n")
}

/// As `schemars` writes it.
fn nicos() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["address"],
        "properties": {
            "address": {"type": "string", "description": "Host and port of the NICOS daemon."},
            "port": {"type": "integer", "format": "uint16", "minimum": 0, "maximum": 65535, "default": 1301},
            "password": {"anyOf": [{"$ref": "#/$defs/SecretSource"}, {"type": "null"}], "description": "For probing."},
            "mode": {"$ref": "#/$defs/Mode"},
            "level": {"type": "string", "enum": ["guest", "admin"]},
            "way": {"oneOf": [way("plain", "host"), way("tls", "ca")]},
            "lanes": {"type": "array", "items": {"$ref": "#/$defs/Lane"}}
        },
        "$defs": {
            "Mode": {"oneOf": [{"type": "string", "const": "slow"}, {"type": "string", "const": "quickest"}]},
            "Lane": {
                "type": "object", "additionalProperties": false, "required": ["name"],
                "properties": {"name": {"type": "string", "minLength": 1}, "depth": {"type": ["integer", "null"]}}
            },
            "SecretSource": {"oneOf": [secret("file"), secret("env"), secret("value")]}
        }
    })
}

fn secret(key: &str) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": [key],
        "properties": {key: {"type": "string"}}
    })
}

/// One variant of a tagged enum.
fn way(kind: &str, needs: &str) -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["kind", needs],
        "properties": {"kind": {"type": "string", "const": kind}, needs: {"type": "string"}}
    })
}

fn activemq() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"queues": {"type": "array", "items": {"type": "string"}, "maxItems": 3}}
    })
}

/// Checks a text as if it were `/etc/patchbay.toml`.
pub(super) fn check_text(text: &str) -> Result<Checked, Mistakes> {
    check(text, Path::new("/etc/patchbay.toml"), &Fake)
}

/// What a user reads who has made mistakes.
pub(super) fn complaint(text: &str) -> String {
    check_text(text)
        .expect_err("the mistakes should be noticed")
        .render(false)
}

/// One line for each mistake or warning: `12:3 message`.
pub(super) fn found(mistakes: &Mistakes) -> Vec<String> {
    let place = |place: &crate::config::Place| format!("{}:{} ", place.line, place.column);
    mistakes
        .iter()
        .map(|one| one.place.as_ref().map(place).unwrap_or_default() + &one.message)
        .collect()
}

/// A configuration without mistakes, with these lines under `[gateway]`, the backend's `config`, and at the end of the
/// frontend.
pub(super) fn sample(gateway: &str, config: &str, frontend: &str) -> String {
    format!(
        "[gateway]\n{gateway}\n[[backend]]\nid = 'nicos'\nplugin = 'nicos'\n[backend.config]\naddress = 'here'\n{config}\n\
         [[frontend]]\nid = 'ibex'\nplugin = 'activemq'\nbackend = 'nicos'\n{frontend}\n"
    )
}

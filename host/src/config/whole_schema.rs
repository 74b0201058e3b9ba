//! The JSON Schema of a whole configuration file, for editors and generators.

use serde_json::{Map, Value, json};

use super::PluginInfo;
use super::key::Section;
use super::registry::{BACKEND, FRONTEND, GATEWAY, LOGIN, SECRET};
use patchbay_abi::PluginRole;

/// The schema. With each of these plugins (name and what is known of it) its `config` is described too.
pub fn schema(plugins: &[(String, PluginInfo)]) -> Value {
    let of_role = |role| {
        plugins
            .iter()
            .filter(move |(_, plugin)| plugin.role == role)
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Patchbay's configuration",
        "type": "object",
        "additionalProperties": false,
        "required": ["backend", "frontend"],
        "properties": {
            "gateway": object(&GATEWAY, &[]),
            "backend": instances(&BACKEND, &[], of_role(PluginRole::Backend)),
            "frontend": instances(
                &FRONTEND,
                &[("login", list(object(&LOGIN, &[("secret", secret())])))],
                of_role(PluginRole::Frontend),
            ),
        },
    })
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn secret() -> Value {
    let mut one = object(&SECRET, &[]);
    one["minProperties"] = json!(1);
    one["maxProperties"] = json!(1);
    one
}

/// A table; `inner` has the tables that it holds.
fn object(section: &Section, inner: &[(&str, Value)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in section.keys {
        let described = inner.iter().find(|(name, _)| *name == key.name());
        let mut value = described.map_or_else(|| key.schema(), |(_, schema)| schema.clone());
        value["description"] = json!(key.doc());
        if key.is_required() {
            required.push(key.name());
        }
        properties.insert(key.name().to_owned(), value);
    }
    json!({
        "type": "object",
        "description": section.doc,
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

/// A list of instances, whose `config` depends on their `plugin`.
fn instances<'a>(
    section: &Section,
    inner: &[(&str, Value)],
    plugins: impl Iterator<Item = &'a (String, PluginInfo)>,
) -> Value {
    let mut one = object(section, inner);
    let cases: Vec<Value> = plugins
        .map(|(name, plugin)| {
            let named = json!({"properties": {"plugin": {"const": name}}});
            // An id of its own, so that its references stay within it.
            let mut config = plugin.schema.clone();
            config["$id"] = json!(format!("patchbay:{}", name));
            json!({"if": named, "then": {"properties": {"config": config}}})
        })
        .collect();
    if !cases.is_empty() {
        one["allOf"] = json!(cases);
    }
    let mut all = list(one);
    all["minItems"] = json!(1);
    all
}

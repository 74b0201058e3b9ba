//! The boundary as it is, a line for each fact, held against `abi-snapshot.txt`: so that it cannot change by accident. What
//! may change, and when, stands in `ABI.md`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use crate::module::{PluginModule_Ref, SYMBOL};
use crate::{Buffer, Fault, Kind, Message, PluginRole, Secret, frame, head, manifest};
use abi_stable::StableAbi;
use abi_stable::type_layout::{TLData, TypeLayout};
use schemars::{JsonSchema, schema_for};
use serde_json::Value;
use std::collections::BTreeSet;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/abi-snapshot.txt");

/// Everything that crosses, and everything that is looked for in a file.
fn facts() -> Vec<String> {
    let mut facts = vec![
        format!("abi version {}", manifest::ABI_VERSION),
        format!("file section {}", manifest::SECTION),
        format!("file opening {}", manifest::OPENING),
        format!("file symbol {SYMBOL}"),
        format!("frame {}", sample_frame()),
    ];
    facts.extend((0..=u16::MAX).filter_map(|number| {
        let name = Kind(number).name()?;
        Some(format!("kind {number} {name}"))
    }));
    shape::<manifest::Manifest>("manifest", &mut facts);
    shape::<PluginRole>("PluginRole", &mut facts);
    shape::<Fault>("Fault", &mut facts);
    shape::<head::Start>("head START", &mut facts);
    shape::<head::Stop>("head STOP", &mut facts);
    shape::<head::Level>("head LEVEL", &mut facts);
    shape::<head::Login>("head LOGIN", &mut facts);
    shape::<head::Session>("Session", &mut facts);
    shape::<head::Logout>("head LOGOUT", &mut facts);
    shape::<head::Call>("head CALL", &mut facts);
    shape::<head::Reply>("head REPLY", &mut facts);
    shape::<head::Event>("head EVENT", &mut facts);
    shape::<head::Subscribe>("head SUBSCRIBE", &mut facts);
    shape::<head::Position>("head REPLY to SUBSCRIBE", &mut facts);
    shape::<head::Credit>("head CREDIT", &mut facts);
    shape::<head::Log>("head LOG", &mut facts);
    shape::<head::Metric>("head METRIC", &mut facts);
    shape::<head::Health>("head HEALTH", &mut facts);
    let mut seen = BTreeSet::new();
    layout(
        <PluginModule_Ref as StableAbi>::LAYOUT,
        &mut facts,
        &mut seen,
    );
    facts
}

/// The form of a frame, by an example that has everything.
fn sample_frame() -> String {
    let message = Message::new(Kind::LOGIN, 258, &serde_json::json!({}))
        .body("[]".to_owned())
        .secret(Secret::new("s"))
        .blobs([Buffer::from(vec![255])]);
    let bytes = frame::encode(&message, 1000).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line for each field, or each word that may stand there; those of the types within too.
fn shape<T: JsonSchema>(what: &str, facts: &mut Vec<String>) {
    let schema = plain(schema_for!(T).to_value());
    note(what, &schema, facts);
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        note(name, definition, facts);
    }
}

fn note(what: &str, schema: &Value, facts: &mut Vec<String>) {
    let properties = schema["properties"].as_object();
    let required = schema["required"].as_array();
    let mut found: Vec<String> = Vec::new();
    for (name, takes) in properties.into_iter().flatten() {
        let named = |one: &Value| one == name;
        let must = match required.is_some_and(|all| all.iter().any(named)) {
            true => "required",
            false => "optional",
        };
        found.push(format!("{what}: {name} {must} {takes}"));
    }
    let words = ["oneOf", "anyOf"].map(|key| schema[key].as_array());
    for word in words.into_iter().flatten().flatten() {
        found.push(format!("{what}: {word}"));
    }
    found.retain(|fact| !facts.contains(fact));
    facts.extend(found);
}

/// Without what is for people.
fn plain(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            members.retain(|key, _| !matches!(&**key, "description" | "title" | "$schema"));
            members
                .values_mut()
                .for_each(|member| *member = plain(member.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = plain(item.take())),
        _ => {}
    }
    schema
}

/// The types that cross in memory, as `abi_stable` checks them: those of this crate with their fields, others by their size.
fn layout(of: &'static TypeLayout, facts: &mut Vec<String>, seen: &mut BTreeSet<String>) {
    let name = of.full_type().to_string();
    if !seen.insert(name.clone()) {
        return;
    }
    facts.push(format!(
        "type {name}: {} bytes, aligned to {}",
        of.size(),
        of.alignment()
    ));
    let own = of.package() == env!("CARGO_PKG_NAME");
    if let TLData::Enum(variants) = of.data()
        && own
    {
        for (number, variant) in variants.variant_names_iter().enumerate() {
            facts.push(format!("type {name}: variant {number} {variant}"));
        }
    }
    let fields = of.get_fields().into_iter().flatten();
    // Numbered, because their order is what lies in memory.
    for (place, field) in fields.chain(of.phantom_fields()).enumerate() {
        let functions = field.function_range();
        if own && functions.is_empty() {
            facts.push(format!(
                "type {name}: {place} {} {}",
                field.name(),
                field.full_type()
            ));
        }
        layout(field.layout(), facts, seen);
        for function in functions.iter() {
            if own {
                let function = function.to_string();
                let function = function.split_whitespace().collect::<Vec<_>>().join(" ");
                facts.push(format!("type {name}: {place} {} {function}", field.name()));
            }
            let parameters = function.param_type_layouts.iter();
            for parameter in parameters.chain(function.return_type_layout()) {
                layout(parameter(), facts, seen);
            }
        }
    }
}

#[test]
#[cfg(target_pointer_width = "64")]
fn the_boundary_is_as_it_was_promised() {
    let version = env!("CARGO_PKG_VERSION_MAJOR");
    let own = manifest::ABI_VERSION.to_string();
    assert_eq!(
        version, own,
        "the crate's version begins with that of the ABI"
    );
    let now = facts();
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    let before: Vec<&str> = written.lines().collect();
    if std::env::var_os("PATCHBAY_WRITE_ABI").is_some() {
        std::fs::write(FILE, now.join("\n") + "\n").unwrap();
        return;
    }
    let gone: Vec<&&str> = before
        .iter()
        .filter(|line| !now.iter().any(|one| one == *line))
        .collect();
    let new: Vec<&String> = now
        .iter()
        .filter(|line| !before.contains(&line.as_str()))
        .collect();
    assert!(
        gone.is_empty(),
        "the boundary has lost what plugins that exist rely on:\n  {gone:#?}\nand has now:\n  {new:#?}\n\
         ABI.md says what that means: ABI_VERSION grows, or the change is made in another way. Once that is settled, \
         PATCHBAY_WRITE_ABI=1 cargo test -p patchbay-abi writes the snapshot anew"
    );
    assert!(
        new.is_empty(),
        "the boundary has grown:\n  {new:#?}\nIf each of these may come in any version, as ABI.md says, \
         PATCHBAY_WRITE_ABI=1 cargo test -p patchbay-abi writes the snapshot anew"
    );
}

//! What differs between the servers, as each says itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::script::Visit;
use crate::demo::screen::{self, progress};

/// Shows the operations that not all servers have.
pub fn show(visits: &[Visit]) {
    screen::heading("What differs, as the servers' capabilities say");
    let names: Vec<&str> = visits.iter().map(|visit| visit.server.name).collect();
    progress(&row("", &names));
    for op in ops(visits) {
        let said = visits.iter().map(|visit| &visit.ops[&op]);
        if said.clone().any(|said| why_not(said).is_some()) {
            let words: Vec<&str> = said.map(word).collect();
            progress(&row(&op, &words));
        }
    }
    progress(
        "all other operations are there on each; whoever asks for one that is not is told why:",
    );
    for visit in visits {
        for (why, ops) in reasons(visit) {
            progress(&format!(
                "  {}, {}: {why}",
                visit.server.name,
                ops.join(" and ")
            ));
        }
    }
}

/// Why a server does not do what.
fn reasons(visit: &Visit) -> BTreeMap<&str, Vec<String>> {
    let mut reasons = BTreeMap::<&str, Vec<String>>::new();
    for (op, said) in visit.ops.as_object().into_iter().flatten() {
        if let Some(why) = why_not(said) {
            reasons.entry(why).or_default().push(format!("`{op}`"));
        }
    }
    reasons
}

fn ops(visits: &[Visit]) -> Vec<String> {
    let first = visits.first().and_then(|visit| visit.ops.as_object());
    first
        .map(|ops| ops.keys().cloned().collect())
        .unwrap_or_default()
}

fn why_not(said: &Value) -> Option<&str> {
    said["unsupported"].as_str()
}

fn word(said: &Value) -> &str {
    let how = said.as_object().and_then(|said| said.keys().next());
    match how.map(String::as_str).or(said.as_str()) {
        Some("unsupported") | None => "–",
        Some(how) => how,
    }
}

fn row(name: &str, cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<12}")).collect();
    format!("{name:<14}{}", cells.concat())
        .trim_end()
        .to_owned()
}

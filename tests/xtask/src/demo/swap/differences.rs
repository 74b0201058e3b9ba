//! What differs between the servers, as each says itself.

use serde_json::Value;

use super::script::Visit;
use crate::demo::screen::{self, progress};

/// Shows the operations that not all servers have.
pub fn show(visits: &[Visit]) {
    screen::heading("What differs, as the servers' capabilities say");
    let names: Vec<&str> = visits.iter().map(|visit| visit.server.name).collect();
    progress(&row("", &names));
    let mut reasons = Vec::new();
    for op in ops(visits) {
        let said: Vec<&Value> = visits.iter().map(|visit| &visit.ops[&op]).collect();
        if said.iter().all(|said| why_not(said).is_none()) {
            continue;
        }
        let words: Vec<&str> = said.iter().map(|said| word(said)).collect();
        progress(&row(&op, &words));
        for (visit, said) in visits.iter().zip(said) {
            let reason =
                why_not(said).map(|why| format!("{} and `{op}`: {why}", visit.server.name));
            reasons.extend(reason);
        }
    }
    progress(
        "all other operations are there on each of them; whoever asks for one that is not is told why:",
    );
    for reason in reasons {
        progress(&format!("  {reason}"));
    }
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

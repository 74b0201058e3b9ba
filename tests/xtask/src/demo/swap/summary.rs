//! The last words: what was the same.

use super::script::Visit;
use crate::demo::outcome::Outcome;
use crate::demo::screen::{self, progress, say};

/// Shows it; whether the script succeeded everywhere, and printed the same.
pub fn show(visits: &[Visit]) -> bool {
    screen::heading("Summary");
    progress("server        outcome      lines  answers to others meanwhile");
    for visit in visits {
        let outcome = match &visit.outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::Otherwise(state) => state,
        };
        let (name, lines) = (visit.server.name, visit.lines.len());
        progress(&format!(
            "{name:<13} {outcome:<12} {lines:>5}  {:>27}",
            visit.answered
        ));
    }
    let lines = visits.first().map(|visit| &visit.lines);
    let is_same = visits.iter().all(|visit| Some(&visit.lines) == lines);
    let is_well = visits
        .iter()
        .all(|visit| visit.outcome == Outcome::Succeeded);
    say(match (is_well, is_same) {
        (true, true) => {
            "\nOne script, two clients that never noticed, three servers: the same output and the same end."
        }
        (true, false) => "\nThe script succeeded everywhere, but did not print the same.",
        (false, _) => "\nThe script did not succeed everywhere.",
    });
    is_well && is_same
}

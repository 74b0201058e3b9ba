//! Which events may have changed which answers.

use super::shelf::Shelf;
use super::variant::Subject;
use patchbay_abi::{Buffer, head};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A state is told in fewer bytes than this; a longer one is not compared with the one before.
const LONGEST_STATE: usize = 4096;

/// Kinds by the model. Those that do not stand here change neither answer; a kind of a newer plugin that does is caught up
/// with by age.
const TOUCHED: &[(&str, &[Subject])] = &[
    ("link", &[Subject::Status, Subject::Log]),
    ("state", &[Subject::Status]),
    ("job", &[Subject::Status]),
    ("queue", &[Subject::Status]),
    ("prompt", &[Subject::Status]),
    ("prompt-done", &[Subject::Status]),
    ("control", &[Subject::Status]),
    ("watch", &[Subject::Status]),
    ("environment", &[Subject::Status]),
    ("capabilities", &[Subject::Status]),
    ("log", &[Subject::Log]),
];

impl Shelf {
    /// An event was heard. Whether something that is kept may not hold any more.
    pub(in crate::broker) fn hears(&mut self, event: &head::Event, body: &Buffer) -> bool {
        let found = TOUCHED.iter().find(|(kind, _)| *kind == event.kind);
        let Some((_, subjects)) = found else {
            return false;
        };
        let only_a_line = event.kind == "state" && self.only_the_line_moved(event, body);
        for subject in *subjects {
            match only_a_line {
                true => self.moved(*subject),
                false => self.touched(*subject),
            }
        }
        true
    }

    /// A script that goes on from line to line says so many times a second; that much is shown a moment later.
    fn only_the_line_moved(&mut self, event: &head::Event, body: &Buffer) -> bool {
        let state = without_line(event.job.as_deref(), body);
        let same = state.is_some() && state == self.state;
        self.state = state;
        same
    }
}

fn without_line(job: Option<&str>, body: &Buffer) -> Option<String> {
    if body.len() > LONGEST_STATE {
        return None;
    }
    let mut members: BTreeMap<&str, &RawValue> = serde_json::from_slice(body).ok()?;
    members.remove("line")?;
    let members = serde_json::to_string(&members).ok()?;
    Some(format!("{} {members}", job.unwrap_or_default()))
}

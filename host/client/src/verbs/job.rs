//! Which script is meant.

use serde_json::Value;

use crate::complaint::{Complaint, Result};
use crate::desk::Desk;
use crate::model::Status;

/// The id of the one script that runs or waits whose id begins so; else what was said may be the id of an old one.
pub(super) fn find(desk: &mut Desk, said: &str) -> Result<String> {
    let status: Status = desk.read("status", &Value::Null)?;
    let running = status.job.and_then(|job| job.id);
    let waiting = status.queue.into_iter().map(|job| job.id);
    pick(running.into_iter().chain(waiting), said)
}

fn pick(ids: impl Iterator<Item = String>, said: &str) -> Result<String> {
    let mut meant: Vec<String> = ids.filter(|id| id.starts_with(said)).collect();
    match meant.pop() {
        Some(id) if meant.is_empty() || id == said => Ok(id),
        Some(_) if said.is_empty() => Err(Complaint::usage("an id is missing")),
        Some(_) => Err(Complaint::usage(format!(
            "the ids of several scripts begin with `{said}`; give more of it"
        ))),
        None => Ok(said.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_id_is_enough_if_no_other_begins_so() {
        let pick = |said| pick(["abc", "abd", "x"].map(String::from).into_iter(), said);
        assert_eq!(pick("x").unwrap(), "x");
        assert_eq!(pick("abc").unwrap(), "abc");
        assert_eq!(pick("old-one").unwrap(), "old-one");
        assert!(pick("ab").is_err());
        assert!(pick("").is_err());
    }
}

//! A question that a snapshot may answer, in its one form.

use patchbay_abi::{Buffer, Fault, FaultKind, Side};
use patchbay_sdk::model::Op;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longer arguments are nobody's usual question, in bytes.
const LONGEST: usize = 512;

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) enum Subject {
    Status,
    Log,
}

/// An operation with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::broker) struct Variant {
    pub(super) subject: Subject,
    /// JSON, by name, without `fresh` and without blanks between the members.
    pub(super) args: Arc<str>,
}

impl Subject {
    /// What is answered from snapshots.
    pub(super) const ALL: [Subject; 2] = [Subject::Status, Subject::Log];

    pub(in crate::broker) fn of(op: &Op) -> Option<Subject> {
        Subject::ALL
            .into_iter()
            .find(|subject| subject.op() == op.name)
    }

    pub(super) fn op(self) -> &'static str {
        match self {
            Subject::Status => "status",
            Subject::Log => "log",
        }
    }
}

impl Variant {
    /// Reads a request's arguments; and whether it is to go through (`fresh`). `None` if this is for the backend to
    /// read.
    pub(super) fn read(subject: Subject, args: &Buffer) -> Result<Option<(Variant, bool)>, Fault> {
        let text = args.as_str().unwrap_or_default();
        let text = if text.is_empty() { "{}" } else { text };
        if text.len() > LONGEST {
            return Ok(None);
        }
        let Ok(mut members) = serde_json::from_str::<BTreeMap<&str, &RawValue>>(text) else {
            return Ok(None);
        };
        let fresh = match members.remove("fresh").map(RawValue::get) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(no_bool()),
        };
        let Ok(args) = serde_json::to_string(&members) else {
            return Ok(None);
        };
        let args = args.into();
        Ok(Some((Variant { subject, args }, fresh)))
    }
}

fn no_bool() -> Fault {
    Fault::new(FaultKind::Invalid, "`fresh` must be true or false").side(Side::Client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &str) -> Option<(String, bool)> {
        let read = Variant::read(Subject::Log, &Buffer::from(args.to_owned())).unwrap();
        read.map(|(variant, fresh)| (variant.args.to_string(), fresh))
    }

    #[test]
    fn the_same_question_has_one_form_and_the_backend_never_sees_fresh() {
        let same = Some((r#"{"last":3,"native":true}"#.to_owned(), false));
        assert_eq!(read(r#"{ "native":true, "last" : 3 }"#), same);
        assert_eq!(read(r#"{"last":3,"fresh":false,"native":true}"#), same);
        assert_eq!(read(""), Some(("{}".to_owned(), false)));
        assert_eq!(read(r#"{"fresh":true}"#), Some(("{}".to_owned(), true)));
    }

    #[test]
    fn what_is_no_object_or_too_long_is_the_backends() {
        assert_eq!(read("[1]"), None);
        assert_eq!(
            read(&format!("{{\"a\":\"{}\"}}", "x".repeat(LONGEST))),
            None
        );
        let wrong = Buffer::from(r#"{"fresh":1}"#.to_owned());
        assert!(Variant::read(Subject::Log, &wrong).is_err());
    }
}

//! What an answer looks like, whatever it says.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of values at each place of one or more answers: `job.line` → `number`. Items of a list share a place,
/// unless they are of different kinds, as in NICOS's messages; then each has its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape(BTreeMap<String, BTreeSet<&'static str>>);

impl Shape {
    /// Of an answer.
    pub fn of(value: &Value) -> Shape {
        let mut shape = Shape::default();
        shape.add("", value);
        shape
    }

    /// As both.
    pub fn and(mut self, value: &Value) -> Shape {
        self.add("", value);
        self
    }

    fn add(&mut self, place: &str, value: &Value) {
        let kinds = self.0.entry(place.to_owned()).or_default();
        kinds.insert(kind(value));
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.add(&format!("{place}.{name}"), value);
                }
            }
            Value::Array(items) => {
                let kinds: BTreeSet<_> = items.iter().map(kind).collect();
                for (position, item) in items.iter().enumerate() {
                    match kinds.len() {
                        1 => self.add(&format!("{place}[]"), item),
                        _ => self.add(&format!("{place}[{position}]"), item),
                    }
                }
            }
            _ => {}
        }
    }

    /// The places at which the two differ, with what is there: one of them has nothing there, or something of another
    /// kind. `null` is like everything: it says that there is nothing at present.
    pub fn differences(&self, other: &Shape) -> BTreeMap<String, String> {
        let places: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let differ = places.into_iter().filter_map(|place| {
            let (here, there) = (self.0.get(place), other.0.get(place));
            let is_alike = match (here, there) {
                (Some(here), Some(there)) => {
                    let known = |kinds: &BTreeSet<&'static str>| {
                        let kinds = kinds.iter().filter(|kind| **kind != "null");
                        kinds.copied().collect::<BTreeSet<_>>()
                    };
                    let (here, there) = (known(here), known(there));
                    here.is_empty() || there.is_empty() || here == there
                }
                _ => self.is_within_nothing(place) || other.is_within_nothing(place),
            };
            (!is_alike).then(|| (place.clone(), format!("{here:?} and {there:?}")))
        });
        differ.collect()
    }

    /// Whether something around that place is `null`, or an empty list, there.
    fn is_within_nothing(&self, place: &str) -> bool {
        let ends = place.char_indices().filter(|(_, c)| matches!(c, '.' | '['));
        let mut around = ends.map(|(end, _)| &place[..end]);
        around.any(|around| {
            let kinds = self
                .0
                .get(around)
                .map(|kinds| kinds.iter().copied().collect::<Vec<_>>());
            match kinds.as_deref() {
                Some(["null"]) => true,
                Some(["list"]) => !self
                    .0
                    .keys()
                    .any(|place| place.starts_with(&format!("{around}["))),
                _ => false,
            }
        })
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differ(here: &Value, there: &Value) -> Vec<String> {
        let differences = Shape::of(here).differences(&Shape::of(there));
        differences.into_keys().collect()
    }

    #[test]
    fn names_and_kinds_count_and_values_do_not() {
        let here = json!({"job": {"id": "7", "line": 3}, "queue": [{"id": "8"}]});
        let there = json!({"job": {"id": "x", "line": null}, "queue": [{"id": "a"}, {"id": "b"}]});
        assert_eq!(differ(&here, &there), Vec::<String>::new());
        assert_eq!(
            differ(&here, &json!({"job": null, "queue": []})),
            Vec::<String>::new()
        );
        let other = json!({"job": {"id": 7}, "queue": [{"id": "8", "more": 1}]});
        assert_eq!(
            differ(&here, &other),
            [".job.id", ".job.line", ".queue[].more"]
        );
    }

    #[test]
    fn messages_are_compared_place_by_place() {
        let message = |trace: Value| json!([["nicos", 1.5, 20, "hi\n", trace, "7"]]);
        assert_eq!(
            differ(&message(json!(null)), &message(json!("…"))),
            Vec::<String>::new()
        );
        assert_eq!(differ(&message(json!(5)), &message(json!("…"))), ["[][4]"]);
    }
}

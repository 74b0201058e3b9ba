//! What becomes of each bomb in `bombs/`, which `bombs/make.py` writes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bombs.rs"]
mod bombs;

use std::collections::BTreeSet;

use patchbay_nicos::pickle::{Limits, decode};

const DEEP: &str = "the pickle exceeds the limit of 100 levels of nesting";
const MANY: &str = "the pickle exceeds the limit of 500000 values";
const LONG: &str = "the pickle exceeds the limit of 16777216 bytes of JSON";
const LONG_INTEGER: &str = "the pickle exceeds the limit of 256 bytes in one integer";
const LOOP: &str = "the pickled value contains itself, which JSON cannot express";

/// The name of a bomb, and the sentence of its refusal or its JSON (the beginning, where that ends in `…`).
const OUTCOMES: &[(&str, &str)] = &[
    (
        "array_of_exabytes",
        r#"{"$class":"numpy.core.multiarray._reconstruct","$args":[{"$global":"numpy.ndarray"},[0],{"$bytes":"Yg=="}],"$state":[1,[4611686018427387904],{"$class":"numpy.dtype","$args":["u1"]},false,{"$bytes":"AA=="}]}"#,
    ),
    ("array_of_huge_emptiness", "[]"),
    (
        "array_of_many_dimensions",
        r#"{"$class":"numpy.core.multiarray._reconstruct","$args":[{"$global":"numpy.ndarray"},[0],{"…"#,
    ),
    (
        "array_of_negative_size",
        r#"{"$class":"numpy.core.multiarray._reconstruct","$args":[{"$global":"numpy.ndarray"},[0],{"$bytes":"Yg=="}],"$state":[1,[-1],{"$class":"numpy.dtype","$args":["u1"]},false,{"$bytes":"AA=="}]}"#,
    ),
    (
        "array_of_sixty_four_dimensions",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    ),
    ("array_often", MANY),
    (
        "array_whose_size_overflows",
        r#"{"$class":"numpy.core.multiarray._reconstruct","$args":[{"$global":"numpy.ndarray"},[0],{"$bytes":"Yg=="}],"$state":[1,[4294967296,4294967296,4294967296],{"$class":"numpy.dtype","$args":["u1"]},false,{"$bytes":""}]}"#,
    ),
    (
        "attribute_of_a_class",
        "the pickle is malformed at byte 17: it sets the state of a value that has none",
    ),
    ("billion_laughs", MANY),
    (
        "buffer_outside",
        "the pickle uses an out-of-band buffer at byte 2, which is not accepted",
    ),
    (
        "bytes_of_eighteen_exabytes",
        "the pickle ends too early, at byte 15",
    ),
    (
        "call_of_a_text",
        "the pickle is malformed at byte 17: it calls something that is no class or function",
    ),
    (
        "command",
        r#"{"$class":"os.system","$args":["touch /tmp/patchbay-was-here"]}"#,
    ),
    ("control_characters_often", LONG),
    ("dict_as_its_own_key", LOOP),
    ("dict_in_itself", LOOP),
    ("doubled_tuples", MANY),
    ("empty", "the pickle ends too early, at byte 0"),
    (
        "evaluation",
        r#"{"$class":"builtins.eval","$args":["__import__('os').abort()"]}"#,
    ),
    ("exception_in_itself", LOOP),
    (
        "extension",
        "the pickle uses the extension registry at byte 2, which is not accepted",
    ),
    ("float_of_many_digits", r#"{"$float":"inf"}"#),
    (
        "frame_of_eighteen_exabytes",
        "the pickle is malformed at byte 2: a frame is longer than the payload",
    ),
    ("instance_in_itself", LOOP),
    ("integer_of_negative_length", LONG_INTEGER),
    ("integer_of_ten_thousand_bytes", LONG_INTEGER),
    (
        "json",
        "the pickle has an unknown instruction 0x7b at byte 0",
    ),
    (
        "left_over_mark",
        "the pickle is malformed at byte 4: it uses more values than there are",
    ),
    (
        "left_over_value",
        "the pickle is malformed at byte 4: values are left over at its end",
    ),
    ("list_in_itself", LOOP),
    ("long_bytes_often", LONG),
    ("long_class_name_often", LONG),
    ("long_text_often", LONG),
    ("memo_index_of_four_billion", "5"),
    (
        "memo_index_of_many_digits",
        "the pickle is malformed at byte 2: a memo index is no number",
    ),
    (
        "memo_of_nothing",
        "the pickle is malformed at byte 2: it refers to a value that was never stored",
    ),
    ("nested_calls", r#"{"$class":"unnamed"}"#),
    ("nested_dict_keys", DEEP),
    ("nested_dicts", DEEP),
    ("nested_instances", DEEP),
    ("nested_lists", DEEP),
    ("nested_tuples", DEEP),
    (
        "newest_protocol",
        "the pickle is malformed at byte 0: its protocol is newer than 5",
    ),
    (
        "octal_or_not",
        "the pickle is malformed at byte 0: a number is not one",
    ),
    ("only_a_header", "the pickle ends too early, at byte 2"),
    (
        "persistent_id",
        "the pickle uses a persistent id at byte 0, which is not accepted",
    ),
    ("state_that_is_its_instance", LOOP),
    ("stray_bytes_often", LONG),
    ("ten_thousand_digits", LONG_INTEGER),
    ("ten_thousand_zeros", LONG_INTEGER),
    (
        "text_of_four_gigabytes",
        "the pickle ends too early, at byte 11",
    ),
    ("tuple_in_itself", LOOP),
    (
        "two_pickles",
        "the pickle is malformed at byte 3: bytes follow its end",
    ),
];

fn outcome(payload: &[u8]) -> String {
    let json = decode(payload, &Limits::default()).and_then(|value| {
        // What an exception says is looked for in every reply.
        let _ = value.raised();
        value.to_json()
    });
    match json {
        Ok(json) => {
            json.parse::<serde_json::Value>()
                .expect("what is written is JSON");
            json.get().to_owned()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_bomb_is_refused_by_its_name_or_harmless() {
    for (name, payload) in bombs::all() {
        let expected = OUTCOMES.iter().find(|(bomb, _)| *bomb == name);
        let (_, expected) = expected.unwrap_or_else(|| panic!("nothing is expected of {name}"));
        let outcome = outcome(&payload);
        match expected.strip_suffix('…') {
            Some(start) => assert!(outcome.starts_with(start), "{name}: {outcome}"),
            None => assert_eq!(outcome, *expected, "{name}"),
        }
    }
}

#[test]
fn no_bomb_has_been_lost() {
    let names: BTreeSet<_> = bombs::all().into_iter().map(|(name, _)| name).collect();
    let expected: BTreeSet<_> = OUTCOMES
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(names, expected);
}

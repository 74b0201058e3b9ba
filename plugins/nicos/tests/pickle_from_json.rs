//! What a client sends in JSON is the value that it means, or is refused with the reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/values.rs"]
mod values;

use patchbay_nicos::pickle::{Arg, Limits, decode, encode};
use patchbay_sdk::FaultKind;
use serde_json::value::RawValue;
use values::for_values;

fn from_json(json: &str) -> Result<Arg, String> {
    let json = RawValue::from_string(json.to_owned()).unwrap();
    Arg::from_json(&json, &Limits::default()).map_err(|fault| {
        assert_eq!(fault.kind, FaultKind::Invalid);
        fault.message
    })
}

fn to_json(arg: Arg) -> String {
    let payload = encode(vec![arg]);
    let json = decode(&payload, &Limits::default())
        .unwrap()
        .to_json()
        .unwrap();
    // Without the brackets of the tuple of arguments.
    json.get()[1..json.get().len() - 1].to_owned()
}

#[test]
fn a_value_comes_back_from_its_json() {
    for_values(400, |arg| {
        let json = to_json(arg);
        assert_eq!(to_json(from_json(&json).unwrap()), json);
    });
}

#[test]
fn each_json_form_is_its_value() {
    let text = |text: &str| Arg::from(text);
    let forms = [
        ("null", Arg::None),
        ("true", Arg::Bool(true)),
        (" 7 ", Arg::Int(7)),
        ("-9223372036854775808", Arg::Int(i64::MIN)),
        ("-0", Arg::Int(0)),
        ("1.0", Arg::Float(1.0)),
        ("1E2", Arg::Float(100.0)),
        (r#""a\n\u00b5\ud83d\ude00""#, text("a\n\u{b5}\u{1f600}")),
        (
            "[1,[]]",
            Arg::List(vec![Arg::Int(1), Arg::List(Vec::new())]),
        ),
        (
            r#"{"b":1,"a":2,"":3}"#,
            Arg::Dict(vec![
                (text("b"), Arg::Int(1)),
                (text("a"), Arg::Int(2)),
                (text(""), Arg::Int(3)),
            ]),
        ),
        (r#"{"$bytes":"AP8="}"#, Arg::Bytes(vec![0, 255])),
        (r#"{"$int":"-5"}"#, Arg::Int(-5)),
        (r#"{"$float":"-inf"}"#, Arg::Float(f64::NEG_INFINITY)),
        (
            r#"{"$dict":[["$x",1],[[1,[2]],{"$dict":[]}]]}"#,
            Arg::Dict(vec![
                (text("$x"), Arg::Int(1)),
                (
                    Arg::Tuple(vec![Arg::Int(1), Arg::Tuple(vec![Arg::Int(2)])]),
                    Arg::Dict(Vec::new()),
                ),
            ]),
        ),
    ];
    for (json, arg) in forms {
        assert_eq!(from_json(json).unwrap(), arg, "{json}");
    }
}

#[test]
fn an_integer_of_any_length_keeps_its_value() {
    for digits in [
        "9007199254740993",
        "9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
    ] {
        for json in [digits.to_owned(), format!(r#"{{"$int":"{digits}"}}"#)] {
            assert_eq!(from_json(&json).unwrap().literal(), digits);
        }
    }
}

#[test]
fn what_is_no_value_is_refused_with_the_reason() {
    let refused = [
        (r#"{"$class":"a.B"}"#, "a value cannot be given by `$class`"),
        (
            r#"{"$global":"a.b"}"#,
            "a value cannot be given by `$global`",
        ),
        (
            r#"{"a":1,"$b":2}"#,
            "`$b` does not stand alone in its object",
        ),
        (
            r#"{"$int":"1","$int":"2"}"#,
            "`$int` does not stand alone in its object",
        ),
        (
            r#"{"$int":"007"}"#,
            "an integer is not one to 617 decimal digits",
        ),
        (r#"{"$bytes":"!"}"#, "`$bytes` is no base64"),
        (r#"{"$float":"1"}"#, "`$float` is none of nan, inf and -inf"),
        (
            r#"{"$int":"1\n2"}"#,
            "an integer is not one to 617 decimal digits",
        ),
        (
            r#"{"$dict":[[{"a":1},1]]}"#,
            "a dict cannot be the key of a dict",
        ),
        (
            r#"{"$dict":[[[{"$dict":[]}],1]]}"#,
            "a dict cannot be the key of a dict",
        ),
        ("1e400", "a number is beyond what a float holds"),
        (r#"{"$b":2,"a":1}"#, "a value cannot be given by `$b`"),
        (
            r#"{"$int":"1","a":1}"#,
            "`a` does not stand alone in its object",
        ),
        (r#"{"$dict":[[1]]}"#, "an entry of `$dict` is no pair"),
        (r#"{"$dict":[[1,2,3]]}"#, "an entry of `$dict` is no pair"),
        (r#"{"$dict":{}}"#, "a value has no `[` where it should"),
    ];
    for (json, message) in refused {
        assert_eq!(from_json(json).unwrap_err(), message, "{json}");
    }
    for json in [r#"{"$int":5}"#, r#"{"$bytes":null}"#, r#""\ud800""#] {
        let message = from_json(json).unwrap_err();
        assert!(
            message.starts_with("a text cannot be read: "),
            "{json}: {message}"
        );
    }
}

#[test]
fn an_integer_longer_than_any_that_is_received_is_refused() {
    assert!(from_json(&"9".repeat(617)).is_ok());
    assert!(from_json(&"9".repeat(618)).is_err());
    assert!(from_json(&"9".repeat(1 << 20)).is_err());
}

#[test]
fn the_number_of_values_is_bounded() {
    let many = |count: usize| format!("[{}1]", "1,".repeat(count - 2));
    assert!(from_json(&many(500_000)).is_ok());
    assert_eq!(
        from_json(&many(500_001)).unwrap_err(),
        "the value consists of too many values"
    );
}

#[test]
fn white_space_between_things_means_nothing() {
    let spaced = " {\n\"a\" : [ 1 ,\t2.5 ] , \"b\" :\r{ \"$dict\" : [ [ null , true ] ] } } ";
    let dense = r#"{"a":[1,2.5],"b":{"$dict":[[null,true]]}}"#;
    assert_eq!(from_json(spaced), from_json(dense));
    assert!(from_json(dense).is_ok());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(from_json(&nested(100)).is_ok());
    assert_eq!(
        from_json(&nested(101)).unwrap_err(),
        "the value is nested too deeply"
    );
    let keys = |depth: usize| {
        format!(
            "{}1{}",
            r#"{"$dict":[[1,"#.repeat(depth),
            "]]}".repeat(depth)
        )
    };
    assert!(from_json(&keys(33)).is_ok());
    assert_eq!(
        from_json(&keys(34)).unwrap_err(),
        "the value is nested too deeply"
    );
}

//! Whatever value Python pickles, by whichever of its picklers and in whichever protocol, we read that value.
//!
//! A value is made at random as two texts: the Python expression, and the JSON that the table in `pickle` promises for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/python.rs"]
mod python;

use std::cell::RefCell;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_nicos::pickle::{Limits, decode};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use python::Python;

#[derive(Debug, Clone)]
struct Value {
    python: String,
    json: String,
}

impl Value {
    fn new(python: impl Into<String>, json: impl Into<String>) -> Self {
        Self {
            python: python.into(),
            json: json.into(),
        }
    }

    fn instance(python: String, class: &str, args: &[Value]) -> Self {
        let args = joined(args, |arg| &arg.json);
        Self::new(
            python,
            format!(r#"{{"$class":"{class}","$args":[{args}]}}"#),
        )
    }
}

fn joined(values: &[Value], part: impl Fn(&Value) -> &str) -> String {
    values.iter().map(part).collect::<Vec<_>>().join(",")
}

fn sources(values: &[Value]) -> String {
    joined(values, |value| &value.python)
}

fn jsons(values: &[Value]) -> String {
    format!("[{}]", joined(values, |value| &value.json))
}

// ---- single values

fn constant() -> impl Strategy<Value = Value> {
    let constants = [("None", "null"), ("True", "true"), ("False", "false")];
    prop::sample::select(constants.to_vec()).prop_map(|(python, json)| Value::new(python, json))
}

fn int() -> impl Strategy<Value = Value> {
    let digits = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (-300i64..70_000).prop_map(|number| number.to_string()),
        // The edges of what is written in one, two, four, eight and more bytes.
        (0u32..130, any::<bool>(), -1i128..2).prop_map(|(bits, negative, beside)| {
            let edge = 1i128.checked_shl(bits).unwrap_or(0).wrapping_sub(beside);
            (if negative { edge.wrapping_neg() } else { edge }).to_string()
        }),
        "-?[1-9][0-9]{0,615}",
    ];
    digits.prop_map(|digits: String| {
        let plain = digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok();
        let json = if plain {
            digits.clone()
        } else {
            format!(r#"{{"$int":"{digits}"}}"#)
        };
        Value::new(digits, json)
    })
}

fn float() -> impl Strategy<Value = Value> {
    prop_oneof![any::<f64>(), prop::num::f64::ANY].prop_map(|number| {
        let python = format!("float('{number:?}')");
        if number.is_finite() {
            let json = serde_json::to_string(&number).unwrap();
            assert_eq!(json.parse::<f64>().unwrap().to_bits(), number.to_bits());
            return Value::new(python, json);
        }
        let name = if number.is_nan() {
            "nan"
        } else if number > 0.0 {
            "inf"
        } else {
            "-inf"
        };
        Value::new(python, format!(r#"{{"$float":"{name}"}}"#))
    })
}

/// Text of any code points, lone halves of surrogate pairs among them.
fn text() -> impl Strategy<Value = Value> {
    let code = prop_oneof![
        0u32..0x100,
        prop::sample::select(vec![
            0x27, 0x5c, 0x0a, 0x0d, 0x00, 0x1a, 0x85, 0x2028, 0xfffd, 0x10_ffff
        ]),
        0xd7f0u32..0xe010,
        0u32..0x11_0000,
    ];
    prop::collection::vec(code, 0..20).prop_map(|codes| text_of(&codes))
}

fn text_of(codes: &[u32]) -> Value {
    let python: String = codes.iter().map(|code| format!("\\U{code:08x}")).collect();
    let text: String = codes
        .iter()
        .map(|&code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Value::new(format!("'{python}'"), serde_json::to_string(&text).unwrap())
}

fn bytes() -> impl Strategy<Value = Value> {
    let content = prop::collection::vec(any::<u8>(), 0..300);
    (content, prop::sample::select(vec!["bytes", "bytearray"])).prop_map(|(bytes, class)| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let json = format!(r#"{{"$bytes":"{}"}}"#, STANDARD.encode(&bytes));
        Value::new(format!("{class}.fromhex('{hex}')"), json)
    })
}

fn datetime() -> impl Strategy<Value = Value> {
    let date = (1u16..10_000, 1u8..13, 1u8..29);
    let time = (
        0u8..24,
        0u8..60,
        0u8..60,
        prop_oneof![Just(0u32), 0u32..1_000_000],
    );
    let zone = prop::option::of(-1439i32..1440);
    (date, time, zone).prop_map(
        |((year, month, day), (hour, minute, second, micro), zone)| {
            let mut python =
                format!("datetime.datetime({year},{month},{day},{hour},{minute},{second},{micro}");
            let mut iso =
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
            if micro > 0 {
                iso += &format!(".{micro:06}");
            }
            if let Some(zone) = zone {
                python += &format!(",datetime.timezone(datetime.timedelta(minutes={zone}))");
                let sign = if zone < 0 { '-' } else { '+' };
                iso += &format!("{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60);
            }
            Value::new(
                python + ")",
                format!(r#"{{"$class":"datetime.datetime","iso":"{iso}"}}"#),
            )
        },
    )
}

/// Small ones in ascending order, which is the order that CPython's sets keep them in.
fn set() -> impl Strategy<Value = Value> {
    let items = prop::collection::btree_set(0u8..8, 0..8);
    (items, prop::sample::select(vec!["set", "frozenset"])).prop_map(|(items, class)| {
        let items: Vec<_> = items
            .iter()
            .map(|item| Value::new(item.to_string(), item.to_string()))
            .collect();
        Value::new(format!("{class}([{}])", sources(&items)), jsons(&items))
    })
}

// ---- containers

/// A key, and whether a JSON object can have it as it is. No two of them are equal unless they are written alike.
fn key() -> impl Strategy<Value = (Value, bool)> {
    let plain = prop::collection::vec(0x61u32..0xd800, 0..4).prop_map(|codes| text_of(&codes));
    let odd = prop_oneof![
        (2i64..i64::MAX).prop_map(|number| Value::new(number.to_string(), number.to_string())),
        (1u16..100).prop_map(|half| Value::new(format!("{half}.5"), format!("{half}.5"))),
        prop::collection::vec(0x61u32..0x7b, 0..4).prop_map(|mut codes| {
            codes.insert(0, 0x24);
            text_of(&codes)
        }),
        Just(Value::new("None", "null")),
        Just(Value::new("(1,(2,))", "[1,[2]]")),
    ];
    prop_oneof![12 => plain.prop_map(|key| (key, true)), 1 => odd.prop_map(|key| (key, false))]
}

fn dict(value: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let entries = prop::collection::vec((key(), value), 0..6);
    (entries, any::<bool>()).prop_map(|(mut entries, ordered)| {
        let mut seen = BTreeSet::new();
        entries.retain(|((key, _), _)| seen.insert(key.python.clone()));
        let plain = entries.iter().all(|((_, plain), _)| *plain);
        let (mut python, mut json) = (Vec::new(), Vec::new());
        for ((key, _), value) in entries {
            let (open, colon, close) = if plain {
                ("", ":", "")
            } else {
                ("[", ",", "]")
            };
            python.push(format!("({},{})", key.python, value.python));
            json.push(format!("{open}{}{colon}{}{close}", key.json, value.json));
        }
        let class = if ordered {
            "collections.OrderedDict"
        } else {
            "dict"
        };
        let json = json.join(",");
        let json = if plain {
            format!("{{{json}}}")
        } else {
            format!(r#"{{"$dict":[{json}]}}"#)
        };
        Value::new(format!("{class}([{}])", python.join(",")), json)
    })
}

fn container(value: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let many = prop::collection::vec(value.clone(), 0..6);
    prop_oneof![
        many.clone()
            .prop_map(|items| Value::new(format!("[{}]", sources(&items)), jsons(&items))),
        many.clone()
            .prop_map(|items| Value::new(format!("tuple([{}])", sources(&items)), jsons(&items))),
        many.prop_map(|items| Value::new(
            format!("collections.deque([{}])", sources(&items)),
            jsons(&items)
        )),
        dict(value.clone()),
        (value.clone(), value.clone()).prop_map(|(a, b)| {
            Value::instance(
                format!("Pair({},{})", a.python, b.python),
                "__main__.Pair",
                &[a, b],
            )
        }),
        (value.clone(), value.clone()).prop_map(|(a, b)| {
            Value::instance(
                format!("KeyError({},{})", a.python, b.python),
                "builtins.KeyError",
                &[a, b],
            )
        }),
        // One object in several places.
        value.prop_map(|value| {
            let Value { python, json } = value;
            let python = format!("(lambda it: [it,(it,),{{'a':it,'b':[it]}}])({python})");
            Value::new(
                python,
                format!(r#"[{json},[{json}],{{"a":{json},"b":[{json}]}}]"#),
            )
        }),
    ]
}

#[test]
fn whatever_python_pickles_we_read() {
    let leaf = prop_oneof![
        constant(),
        int(),
        float(),
        text(),
        bytes(),
        datetime(),
        set()
    ];
    let values = leaf.prop_recursive(4, 30, 5, container);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1_500)
    };
    let python = RefCell::new(Python::start("pickle_writer.py"));
    let outcome = TestRunner::new(config).run(&values, |value| {
        for (what, payload) in python.borrow_mut().pickles(&value.python) {
            let read = decode(&payload, &Limits::default()).and_then(|value| value.to_json());
            let read = read.unwrap_or_else(|error| panic!("{error}: {what}"));
            prop_assert_eq!(read.get(), &value.json, "{}", what);
        }
        Ok(())
    });
    outcome.unwrap();
}

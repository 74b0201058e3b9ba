//! Values to send, made at random.

use patchbay_nicos::pickle::Arg;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// What the Python program calls this value.
pub fn described(arg: &Arg) -> String {
    let all = |items: &[Arg]| items.iter().map(described).collect::<Vec<_>>().join(",");
    match arg {
        Arg::None => "None".to_owned(),
        Arg::Bool(true) => "True".to_owned(),
        Arg::Bool(false) => "False".to_owned(),
        Arg::Int(number) => format!("i{number}"),
        Arg::BigInt(number) => format!("i{}", number.digits()),
        Arg::Float(number) if number.is_nan() => "nan".to_owned(),
        Arg::Float(number) => format!("f{:016x}", number.to_bits()),
        Arg::Text(text) => format!("s{}", hex(text.as_bytes())),
        Arg::Bytes(bytes) => format!("b{}", hex(bytes)),
        Arg::List(items) => format!("[{}]", all(items)),
        Arg::Tuple(items) => format!("({})", all(items)),
        Arg::Dict(entries) => {
            let entry =
                |(key, value): &(Arg, Arg)| format!("{}:{}", described(key), described(value));
            format!(
                "{{{}}}",
                entries.iter().map(entry).collect::<Vec<_>>().join(",")
            )
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn leaf() -> impl Strategy<Value = Arg> {
    prop_oneof![
        Just(Arg::None),
        any::<bool>().prop_map(Arg::Bool),
        any::<i64>().prop_map(Arg::Int),
        (-70_000i64..70_000).prop_map(Arg::Int),
        "-?[1-9][0-9]{19,616}".prop_map(|digits| Arg::int(&digits, 617).unwrap()),
        any::<f64>().prop_map(Arg::Float),
        prop::num::f64::ANY.prop_map(Arg::Float),
        text().prop_map(Arg::Text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Arg::Bytes),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        '\'',
        '"',
        '\\',
        '\n',
        '\r',
        '\0',
        '\u{7f}',
        '\u{80}',
        '\u{85}',
        '\u{2028}',
        '\u{feff}',
        '\u{ffff}',
        '\u{1f600}',
        '\u{10ffff}',
        '{',
        '#',
        'N',
        'x',
        'u',
        'U',
        '0',
    ]);
    let awkward = prop::collection::vec(awkward, 0..12).prop_map(String::from_iter);
    prop_oneof![any::<String>(), awkward]
}

/// Keys that Python does not hold to be equal to one another, once those that describe themselves alike are taken out.
fn key() -> impl Strategy<Value = Arg> {
    let plain = prop_oneof![
        text().prop_map(Arg::Text),
        (2i64..i64::MAX).prop_map(Arg::Int),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Arg::Bytes),
    ];
    plain.prop_recursive(2, 6, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_map(Arg::Tuple)
    })
}

fn value() -> impl Strategy<Value = Arg> {
    leaf().prop_recursive(4, 40, 6, |inner| {
        let entries = prop::collection::vec((key(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Arg::List),
            prop::collection::vec(inner, 0..6).prop_map(Arg::Tuple),
            entries.prop_map(|mut entries| {
                let mut seen = std::collections::HashSet::new();
                entries.retain(|(key, _)| seen.insert(described(key)));
                Arg::Dict(entries)
            }),
        ]
    })
}

/// Runs a check with `cases` values of all kinds.
pub fn for_values(cases: u32, check: impl Fn(Arg)) {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    let outcome = TestRunner::new(config).run(&value(), |arg| {
        check(arg);
        Ok(())
    });
    outcome.unwrap();
}

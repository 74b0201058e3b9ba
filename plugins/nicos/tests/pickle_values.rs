//! What real Python pickles becomes the JSON that the table in `pickle` promises, whatever protocol carried it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/python.rs"]
mod python;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use patchbay_nicos::pickle::{Limits, PickleError, decode};
use python::Python;

/// A Python expression and the JSON of its value.
const VALUES: &[(&str, &str)] = &[
    ("None", "null"),
    ("[True, False]", "[true,false]"),
    (
        "[0, 1, -1, 255, 256, 65535, 65536, -2**31, 2**31, 2**63-1, -2**63]",
        "[0,1,-1,255,256,65535,65536,-2147483648,2147483648,9223372036854775807,-9223372036854775808]",
    ),
    (
        "[2**63, 2**64-1]",
        "[9223372036854775808,18446744073709551615]",
    ),
    (
        "[2**64, -2**63-1]",
        r#"[{"$int":"18446744073709551616"},{"$int":"-9223372036854775809"}]"#,
    ),
    (
        "10**60",
        r#"{"$int":"1000000000000000000000000000000000000000000000000000000000000"}"#,
    ),
    ("[1.0, -0.5, 1e300, 0.1]", "[1.0,-0.5,1e+300,0.1]"),
    (
        "[float('nan'), float('inf'), float('-inf')]",
        r#"[{"$float":"nan"},{"$float":"inf"},{"$float":"-inf"}]"#,
    ),
    ("''", r#""""#),
    (
        r#"'a"b\\\n\u00b5\u20ac\U0001f600\x00'"#,
        "\"a\\\"b\\\\\\nµ€😀\\u0000\"",
    ),
    (r"'bad \udc80 text'", "\"bad \u{fffd} text\""),
    (
        "'x' * 300",
        concat!(
            "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""
        ),
    ),
    (
        "[b'', b'abc', bytes(range(250, 256))]",
        r#"[{"$bytes":""},{"$bytes":"YWJj"},{"$bytes":"+vv8/f7/"}]"#,
    ),
    (
        "[bytearray(b''), bytearray(b'\\xff')]",
        r#"[{"$bytes":""},{"$bytes":"/w=="}]"#,
    ),
    (
        "[(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [[]]]",
        "[[],[1],[1,2],[1,2,3],[1,2,3,4],[],[[]]]",
    ),
    (
        "[set(), {7}, frozenset(), frozenset([7])]",
        "[[],[7],[],[7]]",
    ),
    ("collections.deque([1, 2], 5)", "[1,2]"),
    ("readonlylist([1, [2]])", "[1,[2]]"),
    ("{}", "{}"),
    ("{'a': 1, 'b': {'c': None}}", r#"{"a":1,"b":{"c":null}}"#),
    (
        "{1: 'a', (2, 3): 'b'}",
        r#"{"$dict":[[1,"a"],[[2,3],"b"]]}"#,
    ),
    ("{'$class': 1}", r#"{"$dict":[["$class",1]]}"#),
    (
        "collections.OrderedDict([('b', 1), ('a', 2)])",
        r#"{"b":1,"a":2}"#,
    ),
    ("collections.defaultdict(list, {'a': [1]})", r#"{"a":[1]}"#),
    ("collections.Counter('aab')", r#"{"a":2,"b":1}"#),
    (
        "[shared, shared, [shared]]",
        r#"[{"k":"v"},{"k":"v"},[{"k":"v"}]]"#,
    ),
    (
        "[int, str, Ellipsis]",
        r#"[{"$global":"builtins.int"},{"$global":"builtins.str"},{"$global":"builtins.Ellipsis"}]"#,
    ),
    (
        "datetime.datetime(2026, 11, 22, 10, 0, 5)",
        r#"{"$class":"datetime.datetime","iso":"2026-11-22T10:00:05"}"#,
    ),
    (
        "datetime.datetime(2026, 11, 22, 10, 0, 5, 120, datetime.timezone(datetime.timedelta(hours=-3, minutes=-30)))",
        r#"{"$class":"datetime.datetime","iso":"2026-11-22T10:00:05.000120-03:30"}"#,
    ),
    (
        "[datetime.date(2000, 1, 2), datetime.time(3, 4)]",
        r#"[{"$class":"datetime.date","iso":"2000-01-02"},{"$class":"datetime.time","iso":"03:04:00"}]"#,
    ),
    (
        "datetime.timedelta(1, 2, 3)",
        r#"{"$class":"datetime.timedelta","$args":[1,2,3]}"#,
    ),
    (
        "time.struct_time((1970, 1, 1, 0, 0, 0, 3, 1, 0), {'tm_zone': 'UTC', 'tm_gmtoff': 0})",
        r#"{"$class":"time.struct_time","tm_year":1970,"tm_mon":1,"tm_mday":1,"tm_hour":0,"tm_min":0,"tm_sec":0,"tm_wday":3,"tm_yday":1,"tm_isdst":0,"tm_zone":"UTC","tm_gmtoff":0}"#,
    ),
    (
        "uuid.UUID('ffffffff-0000-1000-8000-00805f9b34fb')",
        r#"{"$class":"uuid.UUID","hex":"ffffffff-0000-1000-8000-00805f9b34fb"}"#,
    ),
    (
        "NameError('no x')",
        r#"{"$class":"builtins.NameError","$args":["no x"]}"#,
    ),
    (
        "decimal.Decimal('1.5')",
        r#"{"$class":"decimal.Decimal","$args":["1.5"]}"#,
    ),
    (
        "complex(1, 2)",
        r#"{"$class":"builtins.complex","$args":[1.0,2.0]}"#,
    ),
    (
        "Point(1, 2)",
        r#"{"$class":"__main__.Point","$args":[1,2]}"#,
    ),
    (
        "Pair(a=1, b='x')",
        r#"{"$class":"__main__.Pair","$args":[1,"x"]}"#,
    ),
    (
        "ValueError('no', 2, None)",
        r#"{"$class":"builtins.ValueError","$args":["no",2,null]}"#,
    ),
    (
        "Loud('hey', 7)",
        r#"{"$class":"__main__.Loud","$args":["hey",7],"level":7}"#,
    ),
    (
        "OSError(9999, 'odd', '/x')",
        r#"{"$class":"builtins.OSError","$args":[9999,"odd","/x"]}"#,
    ),
    (
        "UnicodeDecodeError('utf-8', b'a', 0, 1, 'bad')",
        r#"{"$class":"builtins.UnicodeDecodeError","$args":["utf-8",{"$bytes":"YQ=="},0,1,"bad"]}"#,
    ),
    (
        "Plain(a=1, b=[2])",
        r#"{"$class":"__main__.Plain","a":1,"b":[2]}"#,
    ),
    (
        "Plain(**{'$x': 1})",
        r#"{"$class":"__main__.Plain","$state":{"$dict":[["$x",1]]}}"#,
    ),
    ("Plain()", r#"{"$class":"__main__.Plain"}"#),
    (
        "Slotted(1, 2)",
        r#"{"$class":"__main__.Slotted","a":1,"b":2}"#,
    ),
    (
        "Listed([1, 2])",
        r#"{"$class":"__main__.Listed","$items":[1,2]}"#,
    ),
    (
        "Mapped({1: 2})",
        r#"{"$class":"__main__.Mapped","$entries":[[1,2]]}"#,
    ),
    ("Outer.Inner()", r#"{"$class":"__main__.Outer.Inner"}"#),
];

/// Payloads that Python 2 or NumPy wrote, which the Python at hand may not be able to.
const RECORDED: &[(&str, &[u8], &str)] = &[
    (
        "Python 2 text is UTF-8 if it can be, else Latin-1",
        b"\x80\x02]q\x00(U\x02\xc2\xb5U\x01\xb5T\x01\x00\x00\x00ae.",
        "[\"µ\",\"µ\",\"a\"]",
    ),
    (
        "Python 2 text in protocol 0",
        b"S'it\\'s'\np0\n.",
        "\"it's\"",
    ),
    (
        "Python 2 old-style instance",
        b"(i__main__\nOld\np0\n(dp1\nS'a'\nI1\nsb.",
        r#"{"$class":"__main__.Old","a":1}"#,
    ),
    (
        "Python 2 instance by OBJ",
        b"(c__main__\nOld\nK\x05o.",
        r#"{"$class":"__main__.Old","$args":[5]}"#,
    ),
    (
        "Python 2 long and bool in protocol 0",
        b"(lp0\nL5L\naI01\naI-7\na.",
        "[5,true,-7]",
    ),
    (
        "Python 2 dict with text keys",
        b"\x80\x02}q\x00U\x06statusq\x01K\x00J\xff\xff\xff\xff\x86q\x02s.",
        r#"{"status":[0,-1]}"#,
    ),
    (
        "Python 2 datetime, packed into a text",
        b"\x80\x02cdatetime\ndatetime\nq\x00U\x0a\x07\xea\x0b\x16\x0a\x00\x05\x00\x00\x00q\x01\x85q\x02Rq\x03.",
        r#"{"$class":"datetime.datetime","iso":"2026-11-22T10:00:05"}"#,
    ),
    (
        "Python 2 exception",
        b"\x80\x02cexceptions\nValueError\nq\x00U\x02noq\x01\x85q\x02Rq\x03}q\x04U\x04codeq\x05K\x07sb.",
        r#"{"$class":"builtins.ValueError","$args":["no"],"code":7}"#,
    ),
    (
        "a class with keyword arguments",
        b"\x80\x04\x8c\x01m\x8c\x01C\x93)}\x8c\x01kK\x01s\x92.",
        r#"{"$class":"m.C","$kwargs":{"k":1}}"#,
    ),
    (
        "an unused value that was pushed and dropped",
        b"\x80\x02K\x01(K\x02K\x031(00K\x09.",
        "9",
    ),
];

fn to_json(payload: &[u8]) -> String {
    let pickle =
        decode(payload, &Limits::default()).unwrap_or_else(|error| panic!("{error}: {payload:?}"));
    pickle.to_json().unwrap().get().to_owned()
}

#[test]
fn every_value_gives_the_same_json_in_every_protocol() {
    let mut python = Python::start("pickle_writer.py");
    for (expression, json) in VALUES {
        let payloads = python.pickles(expression);
        let refused = if expression.starts_with("Slotted") {
            4
        } else {
            0
        };
        assert_eq!(payloads.len(), 12 - refused, "{expression}");
        for (what, payload) in payloads {
            assert_eq!(to_json(&payload), *json, "{what}");
        }
    }
}

#[test]
fn a_value_that_contains_itself_is_an_error_in_every_protocol() {
    let mut python = Python::start("pickle_writer.py");
    let loops = [
        "changed([], lambda own: own.append(own))",
        "changed({}, lambda own: own.update(me=own))",
        "changed([], lambda own: own.append((1, {2: own})))",
        "changed(Plain(), lambda own: setattr(own, 'me', own))",
        "changed(Listed(), lambda own: own.append(own))",
        "changed(Mapped(), lambda own: own.update(me=[own]))",
        "changed(collections.OrderedDict(), lambda own: own.update(me=own))",
        "changed(collections.deque(), lambda own: own.append(own))",
    ];
    for expression in loops {
        let payloads = python.pickles(expression);
        assert!(payloads.len() >= 8, "{expression}");
        for (what, payload) in payloads {
            let refused = decode(&payload, &Limits::default()).and_then(|value| value.to_json());
            assert_eq!(refused.unwrap_err(), PickleError::Recursive, "{what}");
        }
    }
}

#[test]
fn numpy_scalars_and_arrays_become_numbers() {
    let golden = include_str!("golden/numpy.txt");
    let cases = golden.lines().filter(|line| !line.starts_with('#'));
    for case in cases {
        let mut fields = case.splitn(4, ' ');
        let mut field = || {
            fields
                .next()
                .unwrap_or_else(|| panic!("a field is missing: {case}"))
        };
        let (name, protocol, payload, json) = (field(), field(), field(), field());
        let payload = STANDARD.decode(payload).unwrap();
        assert_eq!(to_json(&payload), json, "{name} in protocol {protocol}");
    }
}

#[test]
fn payloads_of_older_writers_are_read() {
    for (what, payload, json) in RECORDED {
        assert_eq!(to_json(payload), *json, "{what}");
    }
}

#[test]
fn an_exception_object_is_recognised() {
    let payload =
        b"\x80\x02cexceptions\nNameError\nq\x00X\x04\x00\x00\x00no xq\x01\x85q\x02Rq\x03.";
    let raised = decode(payload, &Limits::default())
        .unwrap()
        .raised()
        .unwrap();
    assert_eq!(
        (raised.class.as_str(), raised.text.as_str()),
        ("builtins.NameError", "no x")
    );
    let value = decode(b"\x80\x02K\x01.", &Limits::default()).unwrap();
    assert_eq!(value.raised(), None);
}

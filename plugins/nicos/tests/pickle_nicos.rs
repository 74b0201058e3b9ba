//! What NICOS's own classes become, pickled by the real NICOS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/python.rs"]
mod python;

use patchbay_nicos::pickle::{Limits, decode};
use patchbay_servers::Nicos;
use python::Python;

/// An expression, and the JSON of its value in every protocol.
const VALUES: &[(&str, &str)] = &[
    ("readonlylist([1, [2]])", "[1,[2]]"),
    ("readonlydict({'a': readonlylist([1])})", r#"{"a":[1]}"#),
    (
        "params.oneof('a', 2)",
        r#"{"$class":"nicos.core.params.oneof","__doc__":"one of 'a', 2","vals":["a",2]}"#,
    ),
    (
        "params.floatrange(0, 1.5)",
        r#"{"$class":"nicos.core.params.floatrange","__doc__":"a float in the range [0.000000, 1.500000]","fr":0.0,"to":1.5}"#,
    ),
    (
        "params.intrange(-1, 5)",
        r#"{"$class":"nicos.core.params.intrange","__doc__":"an integer in the range [-1, 5]","fr":-1,"to":5}"#,
    ),
    (
        "params.listof(int)",
        r#"{"$class":"nicos.core.params.listof","__doc__":"a list of int","conv":{"$global":"builtins.int"}}"#,
    ),
    (
        "params.none_or(params.oneof(1, 2))",
        r#"{"$class":"nicos.core.params.none_or","__doc__":"None or one of 1, 2","conv":{"$class":"nicos.core.params.oneof","__doc__":"one of 1, 2","vals":[1,2]}}"#,
    ),
    (
        "params.tupleof(int, str)",
        r#"{"$class":"nicos.core.params.tupleof","__doc__":"a tuple of (int, str)","types":[{"$global":"builtins.int"},{"$global":"nicos.core.params.string"}]}"#,
    ),
    (
        "params.dictof(str, int)",
        r#"{"$class":"nicos.core.params.dictof","__doc__":"a dict of str keys and int values","keyconv":{"$global":"nicos.core.params.string"},"valconv":{"$global":"builtins.int"}}"#,
    ),
    (
        "params.oneofdict({1: 'a'})",
        r#"{"$class":"nicos.core.params.oneofdict","__doc__":"one of 'a'","vals":{"$dict":[[1,"a"]]}}"#,
    ),
    (
        "[params.limits, params.anytype]",
        r#"[{"$global":"nicos.core.params.limits"},{"$global":"nicos.core.params.anytype"}]"#,
    ),
    (
        "params.Value('det.ctr', 'counter', 'sqrt', 'cts', '%d')",
        r#"{"$class":"nicos.core.params.Value","name":"det.ctr","type":"counter","errors":"sqrt","unit":"cts","fmtstr":"%d"}"#,
    ),
    (
        "changed(ScanData(), lambda scan: scan.__dict__.update(
            uid='u', started=time.struct_time((2026, 11, 22, 10, 0, 0, 6, 326, 0), {'tm_zone': 'UTC', 'tm_gmtoff': 0}),
            scaninfo='scan', counter=3, filepaths=['/x'], xvalueinfo=[params.Value('mot', unit='mm')],
            xresults=[[1.0]], yresults=[[5]], headerinfo={'general': [('mot', 'value', '1 mm')]}))",
        concat!(
            r#"{"$class":"nicos.core.data.dataset.ScanData","uid":"u","#,
            r#""started":{"$class":"time.struct_time","tm_year":2026,"tm_mon":11,"tm_mday":22,"tm_hour":10,"tm_min":0,"tm_sec":0,"#,
            r#""tm_wday":6,"tm_yday":326,"tm_isdst":0,"tm_zone":"UTC","tm_gmtoff":0},"filepaths":["/x"],"#,
            r#""xvalueinfo":[{"$class":"nicos.core.params.Value","name":"mot","type":"other","errors":"none","unit":"mm","fmtstr":"%.3f"}],"#,
            r#""yvalueinfo":[],"headerinfo":{"general":[["mot","value","1 mm"]]},"xresults":[[1.0]],"yresults":[[5]],"#,
            r#""scaninfo":"scan","counter":3}"#
        ),
    ),
    (
        "errors.LimitError('too far')",
        r#"{"$class":"nicos.core.errors.LimitError","$args":["too far"]}"#,
    ),
];

#[test]
fn every_class_of_nicos_is_shown_with_its_state() {
    let interpreter = Nicos::python(&|line| eprintln!("{line}")).unwrap();
    let mut python = Python::run(interpreter, "pickle_writer.py");
    for (expression, json) in VALUES {
        for (what, payload) in python.pickles(&expression.replace('\n', " ")) {
            let read = decode(&payload, &Limits::default()).and_then(|value| value.to_json());
            assert_eq!(read.unwrap().get(), *json, "{what}");
        }
    }
}

#[test]
fn an_exception_of_nicos_is_recognised() {
    let interpreter = Nicos::python(&|line| eprintln!("{line}")).unwrap();
    let mut python = Python::run(interpreter, "pickle_writer.py");
    for (what, payload) in python.pickles("errors.MoveError('stuck')") {
        let value = decode(&payload, &Limits::default()).unwrap();
        let raised = value.raised().unwrap_or_else(|| panic!("{what}"));
        assert_eq!(raised.class, "nicos.core.errors.MoveError");
        assert_eq!(raised.text, "stuck");
    }
}

//! What each command of NICOS asks of the neutral model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_dialect_nicos::{Fields, Request, names, read};
use patchbay_sdk::{Fault, FaultKind, model};
use serde_json::{Value, json};

fn ask(command: &str, fields: Value) -> Result<Request, Fault> {
    read(command, &Fields::parse(&fields.to_string())?)
}

fn call(command: &str, fields: Value) -> (&'static str, Value) {
    match ask(command, fields) {
        Ok(Request::Call(call)) => (call.op, call.args.parse().unwrap()),
        other => panic!("{command}: {other:?}"),
    }
}

fn refusal(command: &str, fields: Value) -> String {
    let fault = ask(command, fields).unwrap_err();
    assert!(matches!(
        fault.kind,
        FaultKind::Invalid | FaultKind::Unsupported
    ));
    fault.message
}

#[test]
fn every_command_maps_to_its_operation() {
    let cases = [
        (
            "queue",
            json!({"name": "a", "code": "b"}),
            "submit",
            json!({"name": "a", "code": "b"}),
        ),
        (
            "queue",
            json!({"parameters": ["", "b"]}),
            "submit",
            json!({"code": "b"}),
        ),
        (
            "start",
            json!({"name": "a", "code": "b"}),
            "submit",
            json!({"name": "a", "code": "b", "start": true}),
        ),
        (
            "unqueue",
            json!({"reqid": "7"}),
            "remove",
            json!({"job": "7"}),
        ),
        (
            "unqueue",
            json!({"parameters": [7]}),
            "remove",
            json!({"job": "7"}),
        ),
        (
            "unqueue",
            json!({"reqid": "*"}),
            "remove",
            json!({"all": true}),
        ),
        (
            "rearrange",
            json!({"ids": ["b", "a"]}),
            "reorder",
            json!({"jobs": ["b", "a"]}),
        ),
        (
            "update",
            json!({"newcode": "x", "reason": "y", "reqid": "7"}),
            "edit",
            json!({"code": "x", "reason": "y", "job": "7"}),
        ),
        (
            "update",
            json!({"parameters": ["x", "y"]}),
            "edit",
            json!({"code": "x", "reason": "y"}),
        ),
        ("break", json!({"level": 2}), "pause", json!({"at": "step"})),
        ("continue", json!({}), "resume", json!({})),
        (
            "stop",
            json!({"parameters": [1]}),
            "stop",
            json!({"at": "line"}),
        ),
        (
            "stop",
            json!({"level": 5}),
            "stop",
            json!({"at": "immediate"}),
        ),
        ("emergency", json!({}), "emergency", json!({})),
        ("finish", json!({}), "finish", json!({})),
        (
            "exec",
            json!({"code": "x=1"}),
            "exec",
            json!({"code": "x=1"}),
        ),
        ("eval", json!({"expr": "1"}), "eval", json!({"code": "1"})),
        (
            "watch",
            json!({"parameters": [["a:b"]]}),
            "watch",
            json!({"expressions": ["a:b"]}),
        ),
        ("getstatus", json!({}), "status", json!({"native": true})),
        ("getscript", json!({}), "status", json!({"native": true})),
        (
            "getmessages",
            json!({"n": 10}),
            "log",
            json!({"last": 10, "native": true}),
        ),
        (
            "getmessages",
            json!({"parameters": ["10"]}),
            "log",
            json!({"last": 10, "native": true}),
        ),
        (
            "getmessages",
            json!({"n": "*"}),
            "log",
            json!({"last": 100_000, "native": true}),
        ),
        ("getbanner", json!({}), "banner", json!({})),
        ("getversion", json!({"parameters": []}), "banner", json!({})),
        ("gettrace", json!({}), "trace", json!({})),
        (
            "gethistory",
            json!({"key": "t/value", "fromtime": 1, "totime": 2.5}),
            "history",
            json!({"key": "t/value", "from": 1, "to": 2.5}),
        ),
        (
            "complete",
            json!({"line": "ma", "lastword": "ma"}),
            "complete",
            json!({"line": "ma", "word": "ma"}),
        ),
        (
            "simulate",
            json!({"parameters": ["n", "b", "an id"]}),
            "simulate",
            json!({"name": "n", "code": "b", "simulation": "an id"}),
        ),
        (
            "simulate",
            json!({"name": "a", "code": "b"}),
            "simulate",
            json!({"name": "a", "code": "b"}),
        ),
        ("unlock", json!({}), "release_control", json!({})),
    ];
    for (command, fields, op, args) in cases {
        assert_eq!(call(command, fields), (op, args), "{command}");
        assert!(model::find_op(op).is_some(), "{op}");
    }
}

#[test]
fn authenticate_takes_the_gui_s_fields_and_hides_the_password() {
    let request = ask(
        "authenticate",
        json!({"login": "ibex", "passwd": "hunter2", "display": "TEST"}),
    )
    .unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
    let Request::Login(login) = request else {
        panic!("no login")
    };
    assert_eq!((&*login.user, login.secret.expose()), ("ibex", "hunter2"));
}

#[test]
fn an_unknown_command_names_the_nearest_one() {
    assert_eq!(
        refusal("getstats", json!({})),
        "there is no command `getstats`; did you mean `getstatus`?"
    );
    assert_eq!(
        refusal("frobnicate!", json!({})),
        "there is no command `frobnicate!`"
    );
    assert!(refusal(&"x".repeat(5_000), json!({})).len() < 200);
}

#[test]
fn a_missing_or_wrong_field_is_named() {
    assert_eq!(
        refusal("queue", json!({"name": "a"})),
        "`queue` needs the field `code` (text)"
    );
    assert_eq!(
        refusal("queue", json!({"code": null})),
        "`queue` needs the field `code` (text)"
    );
    assert_eq!(
        refusal("queue", json!({"code": 5})),
        "the field `code` of `queue` must be text"
    );
    assert!(refusal("break", json!({"level": 5})).contains("`level`"));
    assert!(refusal("stop", json!({})).contains("`level`"));
    assert!(refusal("getmessages", json!({"n": -1})).contains("`n`"));
    assert!(refusal("unqueue", json!({"reqid": []})).contains("`reqid`"));
    assert!(refusal("queue", json!({"parameters": 7})).contains("`parameters`"));
    assert!(!refusal("authenticate", json!({"login": "x", "passwd": 12345})).contains("12345"));
}

#[test]
fn all_names_can_be_listed() {
    assert_eq!(names().count(), 27);
}

proptest::proptest! {
    #[test]
    fn no_fields_make_a_command_panic(
        command in proptest::sample::select(names().collect::<Vec<_>>()),
        fields in r#"\{("(name|code|reqid|level|n|expr|parameters)":(null|-?[0-9]{1,20}|"[a-z*]{0,3}"|\[("x",1|\[\]|1e999)?\]|\{\}),?){0,3}\}"#,
    ) {
        let _ = Fields::parse(&fields).and_then(|fields| read(command, &fields));
    }
}

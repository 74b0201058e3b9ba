//! What NICOS's clients get to see, whatever script server answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_dialect_nicos::{Fields, Request, login_reply, read};
use patchbay_sdk::{FaultKind, RawJson, Role};
use serde_json::{Value, json};

fn raw(value: &str) -> RawJson {
    RawJson::from_string(value.to_owned()).unwrap()
}

fn reply(command: &str, fields: Value, body: &str) -> RawJson {
    let Ok(Request::Call(call)) = read(command, &Fields::parse(&fields.to_string()).unwrap())
    else {
        panic!("{command}")
    };
    call.reply(&raw(body)).unwrap()
}

fn value(command: &str, fields: Value, body: &str) -> Value {
    reply(command, fields, body).parse().unwrap()
}

#[test]
fn a_status_without_nicos_has_all_the_fields_of_nicos() {
    let body = r#"{"link":"up","run":"running","job":{"id":"1","name":"scan","body":"a\nb\n","line":2},
        "queue":[{"id":"2","name":"next","user":"anna","body":"c"}],"last":null}"#;
    let expected = json!({
        "status": [0, 2], "script": "a\nb\n", "scriptname": "scan",
        "requests": [{"reqid": "2", "name": "next", "script": "c", "user": "anna"}],
        "eta": [0, 0], "watch": {}, "mode": "master", "setups": [[], []], "devices": [], "devicefailures": {},
    });
    assert_eq!(value("getstatus", json!({}), body), expected);
    assert_eq!(value("getscript", json!({}), body), "a\nb\n");
}

#[test]
fn an_old_status_has_nicoss_form_while_the_server_is_there_and_is_an_error_when_it_is_away() {
    let old = r#"{"age_s":1.5,"stale":"it has not answered yet","link":"up","native":{"nicos":{"status":[0,2]}}}"#;
    assert_eq!(
        value("getstatus", json!({}), old),
        json!({ "status": [0, 2] })
    );
    let away = old.replace(r#""up""#, r#""down""#);
    for command in ["getstatus", "getscript"] {
        let Ok(Request::Call(call)) = read(command, &Fields::parse("{}").unwrap()) else {
            panic!("{command}")
        };
        let fault = call.reply(&raw(&away)).unwrap_err();
        assert_eq!(
            (fault.kind, fault.message.as_str()),
            (FaultKind::Unavailable, "it has not answered yet")
        );
    }
}

#[test]
fn an_idle_server_still_shows_its_last_script() {
    let body = r#"{"run":"idle-after-failure","job":null,"queue":[],"last":{"id":"1","name":"scan","body":"a"}}"#;
    let status = value("getstatus", json!({}), body);
    assert_eq!(
        (&status["status"], &status["script"], &status["scriptname"]),
        (&json!([-2, -1]), &json!("a"), &json!("scan"))
    );
    assert_eq!(value("getscript", json!({}), r#"{"run":"idle"}"#), "");
}

#[test]
fn every_run_state_has_a_code() {
    let states = [
        ("idle", -1),
        ("idle-after-failure", -2),
        ("running", 0),
        ("paused", 1),
        ("stopping", 2),
        ("starting", 0),
        ("unknown", -2),
    ];
    for (run, code) in states {
        let status = value("getstatus", json!({}), &json!({"run": run}).to_string());
        assert_eq!(status["status"][0], code, "{run}");
    }
}

#[test]
fn the_words_of_nicos_itself_are_handed_on_untouched() {
    let own = r#"{"status":[1,3],"x":123456789012345678901234567890,"script":"s\u00e9"}"#;
    let body = format!(r#"{{"run":"idle","native":{{"nicos":{own}}}}}"#);
    assert_eq!(reply("getstatus", json!({}), &body).get(), own);
    assert_eq!(reply("getscript", json!({}), &body).get(), r#""s\u00e9""#);
    let own = r#"[["nicos",1.5,20,"x\n",null,"1"]]"#;
    let body = format!(r#"{{"messages":[],"native":{{"nicos":{own}}}}}"#);
    assert_eq!(reply("getmessages", json!({"n": 1}), &body).get(), own);
}

#[test]
fn messages_have_the_six_items_of_nicos_and_times_that_rise() {
    let body = r#"{"messages":[
        {"time":1700000000.5,"level":"info","logger":"nicos","text":"one","job":"7"},
        {"time":1700000000.5,"level":"error","logger":"x","text":"two\n","traceback":"tb"},
        {"time":1700000000.5,"level":"input","text":"three"}]}"#;
    let messages = value("getmessages", json!({"n": 3}), body);
    assert_eq!(
        messages[0],
        json!(["nicos", 1_700_000_000.5, 20, "one\n", null, "7"])
    );
    assert_eq!(
        (
            &messages[1][2],
            &messages[1][3],
            &messages[1][4],
            &messages[1][5]
        ),
        (&json!(40), &json!("two\n"), &json!("tb"), &json!(""))
    );
    assert_eq!(messages[2][2], 26);
    let times: Vec<f64> = messages
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m[1].as_f64().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[test]
fn the_banner_is_what_the_gui_insists_on() {
    for body in [
        r#"{"server":"echo","version":"1.2","protocol":1}"#,
        r#"{"server":"nicos","version":"3.12","protocol":24,"native":{"nicos":{"daemon_version":"1.2","protocol_version":24,"serializer":"classic","pw_hashing":"rsa,plain","nicos_root":"/n"}}}"#,
    ] {
        let banner = value("getbanner", json!({}), body);
        assert_eq!(
            (&banner["protocol_version"], &banner["serializer"]),
            (&json!(23), &json!("json"))
        );
        assert_eq!(
            (&banner["daemon_version"], &banner["pw_hashing"]),
            (&json!("1.2"), &json!("plain"))
        );
    }
    assert_eq!(
        value("getversion", json!({}), r#"{"version":"3.12"}"#),
        "3.12"
    );
}

#[test]
fn small_replies_are_bare_values() {
    assert_eq!(
        value("queue", json!({"code": "x"}), r#"{"job":"abc"}"#),
        "abc"
    );
    assert_eq!(
        value("eval", json!({"expr": "x"}), r#"{"value":[1,null]}"#),
        json!([1, null])
    );
    assert_eq!(
        value("eval", json!({"expr": "x"}), r#"{"value":null}"#),
        Value::Null
    );
    assert_eq!(
        value(
            "eval",
            json!({"expr": "x", "stringify": true}),
            r#"{"value":[1]}"#
        ),
        "[1]"
    );
    assert_eq!(
        value("stop", json!({"level": 1}), r#"{"whatever":1}"#),
        Value::Null
    );
}

#[test]
fn a_login_is_answered_with_a_whole_number() {
    let level =
        |role, detail: Option<&str>| login_reply(role, detail.map(raw).as_ref()).get().to_owned();
    assert_eq!(level(Role::Admin, None), r#"{"user_level":20}"#);
    assert_eq!(level(Role::View, None), r#"{"user_level":0}"#);
    assert_eq!(
        level(Role::Admin, Some(r#"{"user_level":10,"x":1}"#)),
        r#"{"user_level":10}"#
    );
    assert_eq!(
        level(Role::User, Some(r#"{"user_level":"admin"}"#)),
        r#"{"user_level":10}"#
    );
}

#[test]
fn a_backend_that_answers_out_of_form_is_a_fault_and_no_panic() {
    let Ok(Request::Call(call)) = read("queue", &Fields::parse(r#"{"code":"x"}"#).unwrap()) else {
        panic!()
    };
    assert_eq!(
        call.reply(&raw("[1]")).unwrap_err().kind,
        FaultKind::Protocol
    );
}

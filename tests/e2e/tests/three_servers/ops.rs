//! What each server says of each operation, and that it is so.

use crate::{lead_to, trio, turn};
use patchbay_e2e::{Lines, SERVERS, Trio};
use patchbay_sdk::model::OPS;
use serde_json::{Value, json};

/// What `capabilities` says of operations at each server, in the order of [`SERVERS`].
pub fn support(trio: &Trio) -> [Value; 3] {
    let mut client = trio.login();
    SERVERS.map(|server| {
        lead_to(trio, server);
        let said = client.ok(json!({"op": "capabilities", "args": {}}));
        assert_eq!(said["server"], server, "{said}");
        said["ops"].clone()
    })
}

/// Arguments with which an operation may be refused for what is there, but does no harm.
fn args(op: &str, server: &str) -> Value {
    match op {
        "submit" => json!({"name": "probe", "code": "pass"}),
        "remove" => json!({"all": true}),
        "reorder" => json!({"jobs": []}),
        "edit" => json!({"job": "nobody's", "code": "pass"}),
        "find" => json!({"submit": {"code": "pass"}, "since": 0.0}),
        "job" => json!({"job": "nobody's"}),
        "history" => json!({"key": "mot/value", "from": 0, "to": 1}),
        "exec" => json!({"code": "pass"}),
        "eval" => json!({"code": "6 * 7"}),
        "simulate" => json!({"name": "probe", "code": "pass"}),
        "complete" => json!({"line": "pri", "word": "pri"}),
        "watch" | "unwatch" => json!({"expressions": ["6 * 7"]}),
        "answer" => json!({"prompt": "nobody's", "value": "7"}),
        "environment" => json!({"do": "open"}),
        "native" => match server {
            "nicos" => json!({"method": "getversion"}),
            "queueserver" => json!({"method": "status", "params": {}}),
            _ => json!({"method": "jobs"}),
        },
        "pause" | "resume" | "stop" | "abort" | "emergency" | "finish" | "status" | "log"
        | "trace" | "devices" | "capabilities" | "banner" | "take_control" | "release_control" => {
            json!({})
        }
        other => panic!("with what may this test ask for `{other}`?"),
    }
}

#[test]
fn what_is_said_to_be_unsupported_is_refused_with_that_reason_and_nothing_else_is() {
    let trio = trio();
    let trio = turn(&trio);
    let mut client = trio.login();
    for (server, said) in SERVERS.iter().zip(support(&trio)) {
        lead_to(&trio, server);
        for op in OPS {
            assert_holds(&mut client, server, op.name, &said[op.name]);
        }
        let names = said.as_object().unwrap();
        assert_eq!(names.len(), OPS.len(), "{server} knows of others: {said}");
    }
}

fn assert_holds(client: &mut Lines, server: &str, op: &str, said: &Value) {
    let answer = client.ask(&json!({ "op": op, "args": args(op, server) }));
    let kind = answer["error"]["kind"].as_str();
    if let Some(why) = said["unsupported"].as_str() {
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            kind == Some("unsupported") && !why.is_empty() && message.contains(why),
            "{server} says that `{op}` is unsupported because {why}, and answers {answer}"
        );
        return;
    }
    let is_said = said == "native" || said["native"].is_string() || said["emulated"].is_string();
    // There may be nothing to stop, or to find; but nothing is broken.
    let is_done = matches!(kind, None | Some("conflict" | "not-found" | "invalid"));
    assert!(
        is_said && is_done,
        "{server} says {said} of `{op}`, and answers {answer}"
    );
}

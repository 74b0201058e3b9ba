//! The verbs that ask for one thing, the prompt, and the pages that describe them.

use crate::peer::Peer;
use crate::person::Person;
use serde_json::{Value, json};
use std::process::Command;

fn waiting() -> Value {
    json!({"link": "up", "run": "running",
        "job": {"id": "run-1", "name": "scan.py", "body": "a\nb\n", "line": 2},
        "queue": [{"id": "aa-1", "name": "one"}, {"id": "ab-2", "name": "two"}],
        "last": null, "prompt": {"prompt": "p", "text": "Angle?", "input": true}})
}

#[test]
fn status_is_read_at_a_glance() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["status"]);
    let mut talk = peer.welcome();
    talk.answer("status", &waiting());
    talk.answer(
        "job",
        &json!({"id": "run-1", "user": "anna", "state": "running"}),
    );
    client.end().ended(0).out(
        "running\n  scan.py by anna  run-1\n  line 2 of 2: b\n  asks: Angle?  (`answer` answers)\n\
         waiting: one, two\n",
    );
}

#[test]
fn the_queue_is_listed_and_changed_by_the_beginning_of_an_id() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["queue"]);
    peer.welcome().answer("status", &waiting());
    client
        .end()
        .ended(0)
        .out("1  aa-1  one    0 lines\n2  ab-2  two    0 lines\n");

    let client = person.call(&peer.address(), &["queue", "remove", "ab"]);
    let mut talk = peer.welcome();
    talk.answer("status", &waiting());
    let remove = talk.answer("remove", &Value::Null);
    client.end().ended(0);
    assert_eq!(remove.args, json!({"job": "ab-2"}));

    let client = person.call(&peer.address(), &["queue", "move", "ab", "1"]);
    let mut talk = peer.welcome();
    talk.answer("status", &waiting());
    talk.answer("status", &waiting());
    let reorder = talk.answer("reorder", &Value::Null);
    client
        .end()
        .ended(0)
        .out("It is number 1 in the queue now.\n");
    assert_eq!(reorder.args, json!({"jobs": ["ab-2", "aa-1"]}));

    let client = person.call(&peer.address(), &["queue", "remove", "a"]);
    peer.welcome().answer("status", &waiting());
    client.end().ended(1).said("several scripts");
}

#[test]
fn what_controls_the_script_says_where() {
    for (words, op, args) in [
        (&["pause"][..], "pause", json!({"at": "line"})),
        (&["stop", "--at", "step"], "stop", json!({"at": "step"})),
        (&["abort"], "abort", Value::Null),
        (&["emergency"], "emergency", Value::Null),
        (&["exec", "f(1)"], "exec", json!({"code": "f(1)"})),
        (
            &["call", "log", r#"{"last": 5}"#],
            "log",
            json!({"last": 5}),
        ),
    ] {
        let (peer, person) = (Peer::new(), Person::new());
        let client = person.call(&peer.address(), words);
        let request = peer.welcome().answer(op, &json!({"messages": []}));
        client.end().ended(0);
        assert_eq!(request.args, args);
    }
}

#[test]
fn a_question_of_the_running_script_is_answered() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["answer", "3.5"]);
    let mut talk = peer.welcome();
    talk.answer("status", &waiting());
    let answer = talk.answer("answer", &Value::Null);
    client.end().ended(0);
    assert_eq!(answer.args, json!({"prompt": "p", "value": "3.5"}));
}

#[test]
fn an_error_is_the_gateways_own_sentence() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["--json", "pause"]);
    let mut talk = peer.welcome();
    let pause = talk.expect("pause");
    talk.refuse(&pause, "conflict", "no script is running");
    let said = client.end().ended(1).said("error: no script is running");
    let error = json!({"kind": "conflict", "message": "no script is running"});
    assert_eq!(said.records(), [json!({"error": error})]);
}

#[test]
fn lines_from_a_pipe_are_verbs_and_expressions_until_one_fails() {
    let (peer, person) = (Peer::new(), Person::new());
    let known = ["--user", "anna", "--password-file", "password"];
    let client = person.start(&peer.address(), &known, "6 * 7\nqueue\nstauts\nstatus\n");
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    talk.answer("eval", &json!({"value": 42}));
    talk.answer("status", &json!({"queue": []}));
    client
        .end()
        .ended(1)
        .said("perhaps `status`")
        .out("42\nnothing waits\n");
}

#[test]
fn completions_and_manual_pages_know_the_clients_verbs() {
    let patchbay = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            patchbay(&["completions", shell]).contains("emergency"),
            "{shell}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    patchbay(&["man", folder.path().to_str().unwrap()]);
    let page = std::fs::read_to_string(folder.path().join("patchbay-client.1")).unwrap();
    assert!(
        page.contains("Exit status") && page.contains("130"),
        "{page}"
    );
    let page = std::fs::read_to_string(folder.path().join("patchbay-client-submit.1")).unwrap();
    assert!(page.contains("queue") && page.contains("connect"), "{page}");
    assert!(patchbay(&["man"]).starts_with(".ie"));
}

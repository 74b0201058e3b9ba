//! Connections that break while a script is submitted or watched.

use crate::peer::{Peer, message};
use crate::person::Person;
use serde_json::{Value, json};

fn idle() -> Value {
    json!({"link": "up", "run": "idle", "job": null, "queue": []})
}

/// The look at everything after a connection was mended.
fn look(talk: &mut crate::peer::Talk, record: Option<Value>, messages: &[(u64, &str)]) {
    talk.answer("status", &idle());
    match record {
        Some(record) => {
            talk.answer("job", &record);
        }
        None => {
            let job = talk.expect("job");
            talk.refuse(&job, "not-found", "no job `a` is remembered");
        }
    }
    let messages = messages.iter().map(|(number, text)| {
        let mut message = message(*number, text);
        message["job"] = "a".into();
        message
    });
    talk.answer("log", &json!({"messages": messages.collect::<Vec<_>>()}));
}

#[test]
fn a_submit_without_an_answer_is_sent_again_with_the_same_key() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let first = talk.expect("submit");
    drop(talk);
    let mut talk = peer.welcome();
    let subscribe = talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    assert_eq!(subscribe.args["since"], json!({"epoch": 7, "seq": 10}));
    talk.job(11, "a", "started");
    talk.log(12, "a", "once");
    let again = talk.answer("submit", &json!({"job": "a"}));
    talk.located();
    talk.finished(13, "a", "succeeded");
    client.end().ended(0).out("once\n").said("connected again");
    assert_eq!(first.key, again.key);
    assert_eq!(first.args, again.args);
}

#[test]
fn a_script_that_is_known_is_not_submitted_again_and_its_lines_are_shown_once() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    talk.log(11, "a", "first");
    talk.line(&json!({"bye": {"kind": "shutting-down", "message": "so long"}}));
    drop(talk);
    let mut talk = peer.welcome();
    let subscribe = talk.answer("subscribe", &json!({"epoch": 7, "seq": 11}));
    assert_eq!(subscribe.args["since"], json!({"epoch": 7, "seq": 11}));
    // The look at the log and the events overlap.
    let running = json!({"id": "a", "state": "running"});
    look(&mut talk, Some(running), &[(11, "first"), (12, "second")]);
    talk.log(12, "a", "second");
    talk.log(13, "a", "third");
    talk.finished(14, "a", "succeeded");
    client
        .end()
        .ended(0)
        .out("first\nsecond\nthird\n")
        .said("so long");
}

#[test]
fn a_script_that_ended_meanwhile_is_known_by_its_record() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    drop(talk);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 8, "seq": 0}));
    look(
        &mut talk,
        Some(json!({"id": "a", "state": "succeeded"})),
        &[(12, "missed")],
    );
    client.end().ended(0).out("missed\n");
}

#[test]
fn a_script_that_nobody_knows_any_more_is_not_called_succeeded() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    drop(talk);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 8, "seq": 0}));
    for _ in 0..5 {
        look(&mut talk, None, &[(12, "last words")]);
    }
    client
        .end()
        .ended(5)
        .out("last words\n")
        .said("nobody knows how");
}

#[test]
fn a_gap_is_looked_into() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    talk.event(30, "gap", "", &json!({"missed_from": 11, "missed_to": 30}));
    look(
        &mut talk,
        Some(json!({"id": "a", "state": "failed"})),
        &[(12, "missed")],
    );
    client.end().ended(1).out("missed\n");
}

#[test]
fn a_gateway_that_does_not_come_back_leaves_the_outcome_unknown() {
    let (peer, person) = (Peer::new(), Person::new());
    let words = ["--json", "submit", "scan.py", "--patience", "1"];
    let client = person.call(&peer.address(), &words);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    talk.answer("submit", &json!({"job": "the-id"}));
    drop((talk, peer));
    let said = client.end().ended(5).said("patchbay client watch the-id");
    assert_eq!(said.records()[1]["error"]["kind"], "lost");
}

#[test]
fn a_submit_that_was_never_answered_names_its_key() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py", "--patience", "1"]);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let key = talk.expect("submit").key.unwrap();
    drop((talk, peer));
    let said = client
        .end()
        .ended(5)
        .said("not known whether scan.py was submitted");
    assert!(said.err.contains(&key), "{}", said.err);
}

#[test]
fn a_gateway_that_comes_back_each_time_and_never_answers_is_given_up() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py", "--patience", "1"]);
    for _ in 0..2 {
        let mut talk = peer.welcome();
        talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
        talk.expect("submit");
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }
    client
        .end()
        .ended(5)
        .said("not known whether scan.py was submitted");
    peer.assert_alone();
}

#[test]
fn a_following_log_goes_on_over_a_broken_connection() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["--json", "log", "-n", "1", "-f"]);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let log = talk.answer("log", &json!({"messages": [message(10, "old")]}));
    assert_eq!(log.args, json!({"last": 1}));
    talk.log(10, "a", "old");
    talk.log(11, "a", "new");
    drop(talk);
    let mut talk = peer.welcome();
    let subscribe = talk.answer("subscribe", &json!({"epoch": 7, "seq": 11}));
    assert_eq!(subscribe.args["since"], json!({"epoch": 7, "seq": 11}));
    let kept = [
        message(10, "old"),
        message(11, "new"),
        message(12, "missed"),
    ];
    talk.answer("log", &json!({"messages": kept}));
    talk.event(13, "gap", "", &json!({}));
    talk.answer(
        "log",
        &json!({"messages": [message(12, "missed"), message(13, "last")]}),
    );
    client.interrupt();
    let texts = client.end().ended(130).records();
    let texts: Vec<_> = texts
        .iter()
        .map(|record| record["log"]["text"].clone())
        .collect();
    assert_eq!(texts, ["old", "new", "missed", "last"]);
}

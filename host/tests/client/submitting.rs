//! `submit`, when all goes well on the way.

use crate::peer::Peer;
use crate::person::Person;
use serde_json::{Value, json};

#[test]
fn a_script_shows_its_own_lines_and_ends_as_it_ended() {
    for (outcome, status, sentence) in [
        ("succeeded", 0, "scan.py succeeded"),
        ("failed", 1, "scan.py failed"),
        ("lost", 5, "scan.py was lost"),
        ("unknown", 5, "nobody knows how"),
        ("something-new", 5, "nobody knows how"),
    ] {
        let (peer, person) = (Peer::new(), Person::new());
        let client = person.call(&peer.address(), &["submit", "scan.py"]);
        let mut talk = peer.welcome();
        talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
        let submit = talk.expect("submit");
        // Events overtake the answer.
        talk.job(11, "a", "queued");
        talk.log(12, "a", "early");
        talk.ok(&submit, &json!({"job": "a"}));
        talk.located();
        talk.log(13, "other", "not mine");
        talk.finished(14, "other", "failed");
        talk.log(15, "a", "late\u{1b}[2J");
        talk.finished(16, "a", outcome);
        client
            .end()
            .ended(status)
            .said(sentence)
            .out("early\nlate␛[2J\n");
        assert_eq!(
            submit.args,
            json!({"name": "scan.py", "code": "print(1)\nprint(2)\n"})
        );
        assert_eq!(submit.key.unwrap().len(), 36);
    }
}

#[test]
fn a_stopped_script_has_not_failed_and_a_removed_one_neither() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    talk.event(
        11,
        "state",
        "a",
        &json!({"run": "stopping", "line": 1, "link": "up"}),
    );
    talk.finished(12, "a", "failed");
    client.end().ended(4).said("was stopped");

    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    talk.job(11, "a", "removed");
    client.end().ended(4).said("was removed");
}

#[test]
fn queueing_prints_the_id_and_nothing_else_on_standard_output() {
    let (peer, person) = (Peer::new(), Person::new());
    let words = ["submit", "-", "--queue", "--name", "n", "--start"];
    let known = ["--user", "anna", "--password-file", "password"];
    let client = person.start(
        &peer.address(),
        &[&known[..], &words].concat(),
        "print(3)\n",
    );
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let submit = talk.answer("submit", &json!({"job": "the-id"}));
    client.end().ended(0).out("the-id\n");
    assert_eq!(
        submit.args,
        json!({"name": "n", "code": "print(3)\n", "start": true})
    );
}

#[test]
fn json_is_one_object_per_line_and_says_how_it_ended() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["--json", "submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    talk.answer("submit", &json!({"job": "a"}));
    talk.log(11, "a", "one\ntwo");
    talk.finished(12, "a", "failed");
    let records = client.end().ended(1).records();
    assert_eq!(records[0], json!({"ok": {"job": "a"}}));
    assert_eq!(records[1]["log"]["text"], "one\ntwo");
    assert_eq!(records[2]["event"]["body"]["outcome"], "failed");
    assert_eq!(records[3]["outcome"]["state"], "failed");
    assert_eq!(records.len(), 4);
}

#[test]
fn a_refused_script_says_why() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["--json", "submit", "scan.py", "--start"]);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let submit = talk.expect("submit");
    talk.refuse(&submit, "conflict", "a script is running");
    let said = client.end().ended(1).said("a script is running");
    assert_eq!(said.records()[0]["error"]["kind"], "conflict");
}

#[test]
fn a_question_of_the_script_is_passed_on_where_nobody_can_be_asked() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    talk.event(
        11,
        "prompt",
        "a",
        &json!({"prompt": "1", "text": "Beam on?", "input": false}),
    );
    talk.finished(12, "a", "succeeded");
    client
        .end()
        .ended(0)
        .said("the script asks: Beam on? (`patchbay client answer`");
}

#[test]
fn ctrl_c_without_a_terminal_only_stops_watching() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.submitted();
    client.interrupt();
    client
        .end()
        .ended(130)
        .said("patchbay client watch a")
        .out("");
}

#[test]
fn ctrl_c_without_a_terminal_also_gives_up_a_submit_without_an_answer() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["--json", "submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let submit = talk.expect("submit");
    client.interrupt();
    let said = client.end().ended(130).said(&submit.key.unwrap());
    assert_eq!(said.records()[0]["error"]["kind"], "interrupted");
}

#[test]
fn somebody_can_come_back_to_a_script_and_sees_it_whole() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["watch", "a"]);
    let mut talk = peer.welcome();
    let status = json!({"link": "up", "run": "running", "queue": [],
        "job": {"id": "abc", "name": "scan.py", "body": "x\ny\n", "line": 1}});
    let record = json!({"id": "abc", "name": "scan.py", "state": "running"});
    talk.answer("status", &status);
    talk.answer("job", &record);
    talk.answer("status", &status);
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 20}));
    talk.answer("status", &status);
    talk.answer("status", &status);
    talk.answer("job", &record);
    let mut mine = crate::peer::message(15, "before");
    mine["job"] = "abc".into();
    talk.answer(
        "log",
        &json!({"messages": [mine, crate::peer::message(3, "no ones")]}),
    );
    talk.log(21, "abc", "after");
    talk.finished(22, "abc", "succeeded");
    client.end().ended(0).out("before\nafter\n");
}

#[test]
fn what_was_watched_too_late_is_known_by_its_record() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["watch", "old"]);
    let mut talk = peer.welcome();
    let record = json!({"id": "old", "name": "scan.py", "state": "failed"});
    let idle = json!({"link": "up", "run": "idle", "queue": [], "job": Value::Null});
    talk.answer("status", &idle);
    talk.answer("job", &record);
    talk.answer("status", &idle);
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 20}));
    talk.answer("status", &idle);
    talk.answer("status", &idle);
    talk.answer("job", &record);
    talk.answer("log", &json!({"messages": []}));
    client.end().ended(1).said("scan.py failed");
}

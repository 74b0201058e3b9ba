//! Connecting and logging in.

use crate::peer::Peer;
use crate::person::Person;
use serde_json::{Value, json};

#[test]
fn nobody_listening_is_said_with_what_to_do() {
    let person = Person::new();
    // A port that no test is ever given.
    let client = person.call("127.0.0.1:1", &["status"]);
    client
        .end()
        .ended(3)
        .said("no gateway can be reached at")
        .said("PATCHBAY_CONNECT");
}

#[test]
fn something_else_that_listens_is_no_gateway() {
    for greeting in ["220 mail.example ESMTP\r\n", "{\"hi\": 1}\n"] {
        let (peer, person) = (Peer::new(), Person::new());
        let client = person.call(&peer.address(), &["status"]);
        peer.accept().raw(greeting);
        client
            .end()
            .ended(3)
            .said("does not speak as a Patchbay gateway")
            .said("plugin = \"socket\"");
    }
}

#[test]
fn another_version_of_the_protocol_is_named() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["status"]);
    peer.accept().hello(2);
    client
        .end()
        .ended(3)
        .said("patchbay 9.9")
        .said("version 2 of the protocol");
}

#[test]
fn a_wrong_password_is_told_and_not_shown() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["status"]);
    let mut talk = peer.accept();
    talk.hello(1);
    let login = talk.expect("login");
    assert_eq!(login.args, json!({"user": "anna", "secret": "geheim"}));
    talk.refuse(&login, "unauthorized", "wrong password");
    client
        .end()
        .ended(3)
        .said("anna is not let in: wrong password");
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.start(&peer.address(), &["status"], "");
    client
        .end()
        .ended(3)
        .said("the user is not known")
        .said("--user");
    let client = person.start(&peer.address(), &["--user", "anna", "status"], "");
    client
        .end()
        .ended(3)
        .said("the password is not known")
        .said("--password-file");
}

#[test]
fn a_remembered_login_needs_no_words_until_it_is_forgotten() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["login", "--save-password"]);
    let talk = peer.welcome();
    client.end().ended(0);
    drop(talk);
    let client = person.start(&peer.address(), &["eval", "6 * 7"], "");
    let mut talk = peer.welcome();
    let eval = talk.answer("eval", &json!({"value": 42}));
    client.end().ended(0).out("42\n");
    assert_eq!(eval.args, json!({"code": "6 * 7"}));
    person
        .start(&peer.address(), &["logout"], "")
        .end()
        .ended(0);
    let client = person.start(&peer.address(), &["status"], "");
    client.end().ended(3).said("the user is not known");
}

#[test]
fn a_gateway_that_says_goodbye_is_quoted() {
    let (peer, person) = (Peer::new(), Person::new());
    let client = person.call(&peer.address(), &["--json", "status"]);
    let mut talk = peer.accept();
    talk.line(&json!({"bye": {"kind": "busy", "message": "too many connections"}}));
    let said = client.end().ended(3).said("too many connections");
    assert_eq!(said.records()[0]["error"]["kind"], "connect");

    let client = person.call(&peer.address(), &["stop"]);
    let mut talk = peer.welcome();
    talk.expect("stop");
    drop(talk);
    client.end().ended(5).said("it may have been done");

    let client = person.call(&peer.address(), &["call", "trace"]);
    let mut talk = peer.welcome();
    assert_eq!(talk.expect("trace").args, Value::Null);
    talk.raw("{\"id\"");
    drop(talk);
    client.end().ended(3).said("in the middle of a line");
}

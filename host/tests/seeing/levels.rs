//! How much is logged, changed while everything runs.

use crate::running::Gateway;
use serde_json::json;

/// Lines at debug of the request that the client calls so, and who said them: the host, or an instance.
fn said_of(gateway: &Gateway, reference: &str) -> Vec<String> {
    let lines = gateway.lines();
    let of_this = lines
        .iter()
        .filter(|line| line["level"] == "DEBUG" && line.to_string().contains(reference));
    let who = of_this.map(|line| line["instance"].as_str().unwrap_or("host").to_owned());
    who.collect()
}

#[test]
fn levels_are_shown_and_changed_at_once_for_the_host_and_each_instance() {
    let gateway = Gateway::start("log_level = \"info\"", "echo", "log_level = \"warn\"");
    gateway.wait_until_ready();
    let mut client = gateway.client();
    assert_eq!(
        gateway.say(&["log-level"]).unwrap(),
        "host   info\nback   warn\nlocal  info\n"
    );
    client.ask(&json!({"op": "status", "args": {"fresh": true}, "id": "first-one"}));
    let said = gateway.say(&["log-level", "back", "debug"]).unwrap();
    assert!(said.starts_with("back logs debug"), "{said}");
    // What an instance has been told it obeys before what it is asked after that.
    client.ask(&json!({"op": "status", "args": {"fresh": true}, "id": "second-one"}));
    gateway.wait("the backend logs at debug", || {
        said_of(&gateway, "second-one")
            .contains(&"back".to_owned())
            .then_some(())
    });
    gateway.say(&["log-level", "host", "debug"]).unwrap();
    client.ask(&json!({"op": "status", "args": {"fresh": true}, "id": "third-one"}));
    gateway.wait("the host logs at debug", || {
        said_of(&gateway, "third-one")
            .contains(&"host".to_owned())
            .then_some(())
    });
    for who in ["back", "host"] {
        gateway.say(&["log-level", who, "error"]).unwrap();
    }
    client.ask(&json!({"op": "status", "args": {"fresh": true}, "id": "fourth-one"}));
    gateway.say(&["log-level", "local", "debug"]).unwrap();
    client.ask(&json!({"op": "status", "args": {"fresh": true}, "id": "fifth-one"}));
    gateway.wait("the frontend logs at debug", || {
        said_of(&gateway, "fifth-one")
            .contains(&"local".to_owned())
            .then_some(())
    });
    assert_eq!(said_of(&gateway, "first-one"), Vec::<String>::new());
    assert_eq!(said_of(&gateway, "fourth-one"), Vec::<String>::new());
    assert_eq!(said_of(&gateway, "fifth-one"), ["local"]);
    let shown = gateway.say(&["log-level", "--json"]).unwrap();
    assert!(
        shown.contains(r#"{"who":"back","level":"error"}"#),
        "{shown}"
    );
}

#[test]
fn a_level_outlives_a_restart_of_its_instance() {
    let gateway = Gateway::start("", "echo", "");
    gateway.wait_until_ready();
    gateway.say(&["log-level", "back", "debug"]).unwrap();
    gateway.say(&["restart", "back"]).unwrap();
    gateway.wait("it runs again and logs at debug", || {
        let mut client = gateway.client();
        client.ask(&json!({"op": "status", "args": {"fresh": true}, "id": "after-it"}));
        let said = said_of(&gateway, "after-it");
        said.contains(&"back".to_owned()).then_some(())
    });
}

#[test]
fn mistakes_are_said() {
    let gateway = Gateway::start("", "echo", "");
    let wrong = |words: &[&str]| gateway.say(words).unwrap_err();
    assert_eq!(
        wrong(&["log-level", "nobody", "info"]),
        "error: there is no instance `nobody`; there are: back, local\n"
    );
    assert_eq!(
        wrong(&["log-level", "back", "loud"]),
        "error: there is no level `loud`; there are: error, warn, info, debug, trace\n"
    );
}

//! One request, and what host, frontend and backend log of it.

use crate::running::Gateway;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Who has said something of the request with this number.
fn speakers(lines: &[Value], request: u64) -> BTreeSet<String> {
    let of_it = lines.iter().filter(|line| line["request"] == request);
    let who = of_it.map(|line| line["instance"].as_str().unwrap_or("host").to_owned());
    who.collect()
}

/// The host's number of the request that its client calls so.
fn number_of(lines: &[Value], reference: &str) -> Option<u64> {
    let asked = lines
        .iter()
        .find(|line| line["message"] == "asked" && line["reference"] == reference)?;
    asked["request"].as_u64()
}

#[test]
fn one_number_finds_the_lines_of_host_frontend_and_backend() {
    let gateway = Gateway::start("log_level = \"debug\"", "rogue", "");
    gateway.wait_until_ready();
    let mut client = gateway.client();
    client.ask(&json!({"op": "status", "args": {"fresh": true}, "id": "looking"}));
    client.ask(&json!({"op": "submit", "args": {"code": "x"}, "id": "sending"}));
    client.ask(&json!({"op": "eval", "args": {"code": "no such deed"}, "id": "failing"}));
    let all = BTreeSet::from(["back", "host", "local"].map(str::to_owned));
    for name in ["looking", "sending", "failing"] {
        gateway.wait("all three have spoken", || {
            let lines = gateway.lines();
            let number = number_of(&lines, name)?;
            (speakers(&lines, number) == all).then_some(())
        });
    }
    let log = gateway.log();
    assert!(!log.contains("s3cret"), "{log}");
}

#[test]
fn a_panic_names_the_request_in_which_it_happened() {
    let gateway = Gateway::start("log_level = \"debug\"", "rogue", "");
    gateway.wait_until_ready();
    let mut client = gateway.client();
    client.ask(&json!({"op": "eval", "args": {"code": "panic"}, "id": "bad"}));
    gateway.wait("the panic is logged with its request", || {
        let lines = gateway.lines();
        let number = number_of(&lines, "bad")?;
        let panic = lines.iter().find(|line| line["module"] == "panic")?;
        (panic["request"] == number).then_some(())
    });
}

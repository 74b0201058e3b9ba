//! A gateway that runs takes over another configuration, or newer builds of its plugins; what its operator is told of
//! that, and what its clients notice.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod site;

use serde_json::{Value, json};
use site::{Client, Gateway};
use std::process::Command;

const CONFIG: &str = r#"
[gateway]
name = "here"
plugin_path = ["."]
shutdown_deadline_s = 60
[[backend]]
id = "one"
plugin = "rogue"
config = { mark = "first" }
[[backend]]
id = "two"
plugin = "rogue"
config = { mark = "second" }
[[frontend]]
id = "local"
plugin = "socket"
backend = "one"
[frontend.config]
unix = "@SOCKET@"
"#;

fn gateway() -> Gateway {
    Gateway::start(&["rogue", "socket"], CONFIG)
}

fn who(client: &mut Client) -> Value {
    let answer = client.ask(&json!({"op": "status", "args": {}}));
    assert!(answer["ok"].is_object(), "{answer}");
    answer["ok"]["by"].clone()
}

/// Where each instance is in its life since it was started, and its id.
fn instances(gateway: &Gateway) -> Vec<String> {
    let all = gateway.instances().unwrap();
    all.iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn only_what_differs_is_touched_and_the_operator_is_told_what() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    assert_eq!(
        gateway.say(&["reload"]).unwrap(),
        "nothing differs from what runs\n"
    );
    let wanted = CONFIG
        .replace("\"second\"", "\"other\"")
        .replace(
            "name = \"here\"",
            "name = \"here\"\nmax_sessions = 1\njournal_age_s = 60",
        )
        .replace(
            "backend = \"one\"",
            "backend = \"two\"\nmax_role = \"view\"",
        );
    gateway.configure(&wanted);
    let said = gateway.say(&["reload", "--dry-run"]).unwrap();
    let lines = [
        "this would be changed:",
        "  `max_sessions`: 1000 → 1",
        "  `journal_age_s`: 3600 s → 60 s",
        "  backend `two`: started anew, its settings differ; what is under way finishes in its former life",
        "  frontend `local`: talks to `two`, which says who gets in from now on; `max_role`: admin → view",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
    assert_eq!(who(&mut client), "first");

    let said = gateway.say(&["reload"]).unwrap();
    assert_eq!(said.lines().skip(1).collect::<Vec<_>>(), lines[1..]);
    // The client is still the same, and talks to the other one, in its new life.
    assert_eq!(who(&mut client), "other");
    // It has no more than anybody may have now.
    let answer = client.ask(&json!({"op": "submit", "args": {"code": "1"}}));
    assert_eq!(answer["error"]["kind"], "forbidden", "{answer}");
    let log = gateway.log();
    assert_eq!(
        log.matches("\"started\",\"instance\":\"one\"").count(),
        1,
        "it was left alone"
    );
    let mut late = std::os::unix::net::UnixStream::connect(gateway.socket()).unwrap();
    use std::io::{BufRead, BufReader, Write};
    let login = json!({"op": "login", "args": {"user": "user", "secret": "s"}});
    late.write_all(format!("{login}\n").as_bytes()).unwrap();
    let answer = BufReader::new(late).lines().nth(1).unwrap().unwrap();
    assert!(
        answer.contains("max_sessions"),
        "the new limit holds: {answer}"
    );
    assert_eq!(
        gateway.say(&["reload"]).unwrap(),
        "nothing differs from what runs\n"
    );
}

#[test]
fn a_mistake_changes_nothing_and_is_shown_as_check_shows_it() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    gateway.configure(
        &CONFIG
            .replace("first", "1st")
            .replace("[gateway]", "[gateway]\nmax_sesions = 1"),
    );
    let output = gateway.output(&["reload"]);
    let check = gateway.output(&["check"]);
    assert_eq!(output.status.code(), Some(3));
    let [said, checked] = [output, check].map(|one| String::from_utf8(one.stderr).unwrap());
    assert!(said.starts_with(checked.trim_end()), "{said}\n{checked}");
    assert!(
        said.contains("^^^^^^^^^^^") && said.contains("did you mean `max_sessions`?"),
        "{said}"
    );
    assert!(said.ends_with("nothing was changed\n"), "{said}");
    assert_eq!(who(&mut client), "first");
}

#[test]
fn a_hangup_reloads_and_what_came_of_it_goes_to_both_logs() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    let hang_up = || {
        let pid = gateway.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-HUP", &pid])
                .status()
                .unwrap()
                .success()
        );
    };
    gateway.configure(
        &CONFIG
            .replace("first", "1st")
            .replace("name = \"here\"", "log_level = \"debug\""),
    );
    hang_up();
    gateway.wait("it is in force", |gateway| {
        gateway
            .log()
            .contains("the configuration is in force")
            .then_some(())
    });
    assert_eq!(who(&mut client), "1st");
    let levels = gateway.say(&["log-level"]).unwrap();
    assert!(
        levels.contains("host") && levels.contains("debug"),
        "{levels}"
    );
    gateway.configure("[gateway]\nmax_sesions = 1\n");
    hang_up();
    gateway.wait("the mistake is logged", |gateway| {
        gateway
            .log()
            .contains("did you mean `max_sessions`?")
            .then_some(())
    });
    assert_eq!(who(&mut client), "1st");
    let noted = gateway.wait("both are noted", |gateway| {
        let audit = gateway.folder.path().join("state/audit.jsonl");
        let noted = std::fs::read_to_string(audit).unwrap_or_default();
        let lines: Vec<Value> = noted
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &Value| line["op"] == "patchbay reload")
            .collect();
        (lines.len() == 2).then_some(lines)
    });
    for (line, outcome) in noted.iter().zip(["done", "failed"]) {
        assert_eq!(
            (&line["outcome"], &line["client"]),
            (&json!(outcome), &json!("SIGHUP"))
        );
        assert_eq!(
            line["user"],
            Value::Null,
            "a signal does not say who sent it"
        );
    }
}

#[test]
fn instances_come_and_go_and_nobody_is_left_where_nothing_is() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    gateway.say(&["route", "local", "two"]).unwrap();
    assert_eq!(who(&mut client), "second");
    let slow = std::thread::spawn({
        let mut slow = Client::login_as(&gateway.socket(), "user");
        move || slow.ask(&json!({"op": "eval", "args": {"code": "sleep 1500"}}))
    });
    gateway.wait("it is under way", |gateway| {
        let said = gateway.say(&["sessions", "--json"]).unwrap();
        said.contains("\"in_flight\":1").then_some(())
    });
    let wanted = CONFIG
        .replace("\"two\"", "\"three\"")
        .replace("second", "third");
    gateway.configure(&wanted);
    let said = gateway.say(&["reload"]).unwrap();
    let lines: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "  backend `three`: added",
            "  frontend `local`: an operator had led it to `two`, which goes; it is led to where the file leads it",
            "  backend `two`: stopped and removed",
        ]
    );
    assert_eq!(instances(&gateway), ["one", "three", "local"]);
    assert_eq!(who(&mut client), "first");
    gateway.say(&["route", "local", "three"]).unwrap();
    assert_eq!(who(&mut client), "third");
    let why = gateway.say(&["route", "local", "two"]).unwrap_err();
    assert!(why.contains("there are: one, three"), "{why}");
    // What was under way at the one that went was finished there.
    assert_eq!(slow.join().unwrap(), json!({"ok": null}));
    // And back again under the same name, which is another one.
    gateway.configure(CONFIG);
    gateway.say(&["reload"]).unwrap();
    assert_eq!(instances(&gateway), ["one", "two", "local"]);
    gateway.say(&["route", "local", "two"]).unwrap();
    assert_eq!(who(&mut client), "second");
}

#[test]
fn a_backend_that_would_not_start_leaves_the_former_one_as_it_was() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    gateway.configure(&CONFIG.replace(
        "{ mark = \"first\" }",
        "{ mark = \"1st\", start = \"fail\" }",
    ));
    let output = gateway.output(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("FAILED: start fails on request; it goes on as it was"),
        "{said}"
    );
    assert_eq!(who(&mut client), "first");
    // It is tried again, as it is not in force.
    let said = gateway.output(&["reload", "--dry-run"]).stdout;
    assert!(
        String::from_utf8(said)
            .unwrap()
            .contains("backend `one`: started anew")
    );
    gateway.configure(&CONFIG.replace("first", "1st"));
    gateway.say(&["reload"]).unwrap();
    assert_eq!(who(&mut client), "1st");
}

#[test]
fn a_restart_and_new_settings_let_what_is_under_way_finish_in_the_former_life() {
    let gateway = gateway();
    let mut slow: Vec<Client> = (0..2)
        .map(|_| Client::login_as(&gateway.socket(), "user"))
        .collect();
    let mut begin = |client: usize, ms: u32| {
        let ask = json!({"op": "eval", "args": {"code": format!("sleep {ms}")}});
        slow[client].send(&ask);
    };
    begin(0, 1500);
    begin(1, 1500);
    gateway.wait("both are under way", |gateway| {
        let said = gateway.say(&["sessions", "--json"]).unwrap();
        (said.matches("\"in_flight\":1").count() == 2).then_some(())
    });
    gateway.say(&["restart", "one"]).unwrap();
    gateway.configure(&CONFIG.replace("first", "1st"));
    gateway.say(&["reload"]).unwrap();
    let mut client = Client::login_as(&gateway.socket(), "user");
    assert_eq!(who(&mut client), "1st");
    for client in &mut slow {
        assert_eq!(client.line(), json!({"ok": null}));
        assert_eq!(who(client), "1st");
    }
    gateway.wait("both former lives have finished", |gateway| {
        (gateway
            .log()
            .matches("its former life has finished")
            .count()
            == 2)
            .then_some(())
    });
}

#[test]
fn a_switch_that_waits_for_idleness_is_shown_and_made_when_it_is_time() {
    let gateway = gateway();
    let mut slow = Client::login_as(&gateway.socket(), "user");
    slow.send(&json!({"op": "eval", "args": {"code": "sleep 2000"}}));
    gateway.wait("it is under way", |gateway| {
        let said = gateway.say(&["sessions", "--json"]).unwrap();
        said.contains("\"in_flight\":1").then_some(())
    });
    let order = ["route", "local", "two", "--when-idle"];
    let said = gateway.say(&[&order[..], &["--no-wait"]].concat()).unwrap();
    assert!(said.contains("will lead to two as soon as"), "{said}");
    let shown = gateway.say(&["status"]).unwrap();
    assert!(shown.contains("local → one "), "{shown}");
    assert!(shown.contains("\n    → two when idle\n"), "{shown}");
    // Somebody who waits for it is told what for, and when it is done.
    let output = gateway.output(&order);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("a request is under way"), "{said}");
    assert!(said.ends_with("local leads to two now\n"), "{said}");
    assert_eq!(slow.line(), json!({"ok": null}));
    assert_eq!(who(&mut slow), "second");
}

#[test]
fn what_a_former_life_does_not_answer_in_time_is_said_to_be_unknown() {
    let config = CONFIG.replace("shutdown_deadline_s = 60", "shutdown_deadline_s = 1");
    let gateway = Gateway::start(&["rogue", "socket"], &config);
    let mut stuck = Client::login_as(&gateway.socket(), "user");
    stuck.send(&json!({"op": "eval", "args": {"code": "hang"}}));
    gateway.wait("it is under way", |gateway| {
        let said = gateway.say(&["sessions", "--json"]).unwrap();
        said.contains("\"in_flight\":1").then_some(())
    });
    gateway.say(&["restart", "one"]).unwrap();
    let mut client = Client::login_as(&gateway.socket(), "user");
    assert_eq!(who(&mut client), "first", "others do not wait for that");
    let answer = stuck.line();
    assert_eq!(answer["error"]["kind"], "unknown-outcome", "{answer}");
    assert_eq!(who(&mut stuck), "first", "it is still logged in");
}

#[test]
fn a_frontend_of_other_settings_is_stopped_and_started_anew() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    gateway.configure(&CONFIG.replace("@SOCKET@", "@SOCKET@.new"));
    let said = gateway.say(&["reload"]).unwrap();
    let line = "frontend `local`: stopped and started anew, its settings differ; its clients have to connect again";
    assert!(said.contains(line), "{said}");
    assert!(client.is_at_end());
    let socket = gateway.socket().with_extension("sock.new");
    assert_eq!(who(&mut Client::login_as(&socket, "user")), "first");
    // One that cannot serve is said, and tried again as ever.
    gateway.configure(&CONFIG.replace("@SOCKET@", "/nowhere/at/all.sock"));
    let output = gateway.output(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("FAILED: "), "{said}");
    gateway.configure(CONFIG);
    gateway.say(&["reload"]).unwrap();
    assert_eq!(
        who(&mut Client::login_as(&gateway.socket(), "user")),
        "first"
    );
}

//! What JMS clients get, in the contract of the IBEX client of 2017, with a real broker and a real
//! NICOS daemon.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Client, IBEX_PASSWORD, PATIENCE, Site, refusal};
use patchbay_servers::{Event, IbexSees, IbexWhat, Message, ReplyTo};
use serde_json::{Value, json};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// One site for all tests of this file, one test at a time: they share NICOS's one queue.
fn site() -> MutexGuard<'static, Site> {
    static SITE: LazyLock<Mutex<Site>> = LazyLock::new(|| Mutex::new(Site::start()));
    SITE.lock().unwrap_or_else(PoisonError::into_inner)
}

const LOOP: &str = "for i in range(600):\n    sleep(0.05)\n";

/// Whatever an earlier test has left running is stopped, and NICOS idle.
fn calm(client: &Client<'_>) {
    client.ask(&json!({ "command": "stop", "level": 5 }));
    client.ask(&json!({ "command": "unqueue", "reqid": "*" }));
    patchbay_e2e::wait_until("an idle NICOS", || {
        let status = client.nicos(&json!({ "command": "getstatus" }));
        (status["status"][0].as_i64()? < 0 && status["requests"] == json!([])).then_some(())
    });
}

#[test]
fn two_scripts_are_queued_paused_resumed_and_stopped_each_step_answered_under_its_own_id() {
    let site = site();
    let client = site.login("steps");
    calm(&client);
    let first = client.queue("first", LOOP);
    let second = client.queue("second", LOOP);
    assert_ne!(first, second);
    client.wait_for_job(&first, &["running"]);
    assert_eq!(
        client.nicos(&json!({ "command": "break", "level": 1 })),
        Value::Null
    );
    client.wait_for_status(1);
    assert_eq!(client.nicos(&json!({ "command": "continue" })), Value::Null);
    client.wait_for_status(0);
    let status = client.nicos(&json!({ "command": "getstatus" }));
    assert_eq!(status["requests"][0]["reqid"], *second, "{status}");
    assert_eq!(status["script"], LOOP, "{status}");
    assert_eq!(
        client.nicos(&json!({ "command": "stop", "level": 1 })),
        Value::Null
    );
    let stopped = client.wait_for_job(&first, &["failed", "stopped"]);
    assert_ne!(stopped["state"], "succeeded", "{stopped}");
    let removed = client.wait_for_job(&second, &["removed"]);
    assert_eq!(
        removed["name"], "second",
        "stop empties NICOS's queue: {removed}"
    );
}

#[test]
fn a_script_runs_its_output_is_seen_and_only_nicos_says_that_it_succeeded() {
    let site = site();
    let client = site.login("runs");
    calm(&client);
    let good = client.queue("good", "print('grüße 😀')\nx = 1\nprint(x + 41)\n");
    let bad = client.queue("bad", "raise ValueError('on purpose')\n");
    client.wait_for_job(&bad, &["failed"]);
    assert_eq!(client.job(&good)["state"], "succeeded");
    let messages = client
        .nicos(&json!({ "command": "getmessages", "n": 50 }))
        .to_string();
    for text in ["grüße 😀", "42", "on purpose"] {
        assert!(messages.contains(text), "{text} in {messages}");
    }
}

#[test]
fn two_clients_at_once_never_see_each_others_answers() {
    let site = site();
    let clients = [site.login("left"), site.login("right")];
    let mut asked = Vec::new();
    for number in 0..25 {
        for client in &clients {
            let expression = format!("'{} {number}'", client.name());
            let request = json!({ "command": "eval", "expr": expression, "stringify": false });
            asked.push((client, expression, client.send(&request.to_string())));
        }
    }
    for (client, expression, correlation) in asked {
        let answer = client.answer(&correlation);
        assert_eq!(answer["payload"], expression.trim_matches('\''), "{answer}");
    }
    let left_over = site.jms.unmatched();
    let stray = left_over.iter().filter(|event| {
        matches!(event, Event::Message(message) if ["left", "right"].contains(&&*message.client))
    });
    assert_eq!(stray.collect::<Vec<_>>(), Vec::<&Event>::new());
}

#[test]
fn the_ibex_client_of_2017_connects_and_sends_its_script() {
    let site = site();
    let connect = patchbay_servers::Connect::to(site.broker.openwire());
    site.jms.ibex("ibex", &connect).unwrap();
    let sees = |what: IbexWhat| {
        let event = site.jms.event(PATIENCE, |event| {
            matches!(event, Event::Ibex(seen) if seen.client == "ibex" && seen.what == what)
        });
        match event.unwrap() {
            Some(Event::Ibex(seen)) => IbexSees::of_answer(&seen.text.unwrap()),
            _ => panic!("the IBEX client sees no {what:?}"),
        }
    };
    assert_eq!(sees(IbexWhat::Answered), IbexSees::Accepted);
    site.jms
        .ibex_script("ibex", "ScriptFromGUI", "print('<from> & = \\'ibex\\'')")
        .unwrap();
    assert_eq!(sees(IbexWhat::Answered), IbexSees::Accepted);
}

#[test]
fn a_wrong_password_is_refused_in_words_and_opens_nothing() {
    let site = site();
    let client = site.connect("stranger");
    let said = refusal(&client.authenticate("user", "wrong"));
    assert!(said.contains("Invalid username or password"), "{said}");
    assert!(!said.contains("wrong'"), "{said}");
    let said = client.refused(&json!({ "command": "queue", "name": "x", "code": "1" }));
    assert!(said.contains("log in"), "{said}");
    let right = client.authenticate("user", "user");
    assert_eq!(right["success"], true, "{right}");
}

#[test]
fn what_cannot_be_understood_is_answered_by_a_sentence_that_names_the_cause() {
    let site = site();
    let client = site.login("clumsy");
    let cases = [
        (r#"{"command": "gettstatus"}"#, "getstatus"),
        (r#"{"command": "queue", "name": "no code"}"#, "code"),
        (r#"{"command": "queue", "name": "x", "code": 7}"#, "code"),
        (r#"{"comand": "getstatus"}"#, "command"),
        ("not JSON at all", "JSON"),
        ("[1, 2]", "object"),
        ("", "empty"),
    ];
    for (text, cause) in cases {
        let said = refusal(&client.answer(&client.send(text)));
        assert!(
            said.contains(cause),
            "`{cause}` in the answer to `{text}`: {said}"
        );
    }
    let said = refusal(&client.answer(&client.send_message(Message::bytes(b"{}"))));
    assert!(said.contains("TextMessage"), "{said}");
    client.nicos(&json!({ "command": "getstatus" }));
}

#[test]
fn a_request_without_reply_to_is_not_carried_out_and_disturbs_nobody() {
    let site = site();
    let client = site.login("mute");
    calm(&client);
    let code = "raise SystemExit('a script from nowhere')";
    let request = json!({ "command": "queue", "name": "nowhere", "code": code }).to_string();
    client.send_message(Message::text(&request).reply_to(&ReplyTo::Nothing));
    client.nicos(&json!({ "command": "getstatus" }));
    let messages = client
        .nicos(&json!({ "command": "getmessages", "n": 100 }))
        .to_string();
    assert!(!messages.contains("a script from nowhere"));
    let log = site.gateway.log_tail(200).join("\n");
    assert!(
        log.contains("reply-to"),
        "the operator can see it in the log: {log}"
    );
}

#[test]
fn a_script_of_5_mib_is_refused_by_its_size_and_the_connection_lives_on() {
    let site = site();
    let client = site.login("huge");
    let code = "# ".to_owned() + &"x".repeat(5 << 20);
    let said = client.refused(&json!({ "command": "queue", "name": "huge", "code": code }));
    assert!(said.contains("4194304"), "{said}");
    let code = "# ".to_owned() + &"x".repeat(1 << 20);
    client.queue("large", &code);
    calm(&client);
}

#[test]
fn a_client_that_vanishes_in_the_middle_leaves_its_script_running_and_nobody_else_disturbed() {
    let site = site();
    let witness = site.login("witness");
    calm(&witness);
    let vanishing = site.login("vanishing");
    let job = vanishing.queue("goes on", "sleep(2)\nprint('went on')\n");
    vanishing
        .send(&json!({ "command": "eval", "expr": "__import__('time').sleep(1)" }).to_string());
    site.jms.kill("vanishing").unwrap();
    witness.wait_for_job(&job, &["succeeded"]);
    witness.nicos(&json!({ "command": "getstatus" }));
}

#[test]
fn the_role_of_a_login_is_what_nicos_says() {
    let site = site();
    let guest = site.connect("guest");
    let answer = guest.authenticate("guest", "anything");
    assert_eq!(
        (&answer["success"], &answer["payload"]["user_level"]),
        (&json!(true), &json!(0))
    );
    guest.nicos(&json!({ "command": "getstatus" }));
    let said = guest.refused(&json!({ "command": "eval", "expr": "1", "stringify": false }));
    assert!(said.contains("role"), "{said}");
    let admin = guest.authenticate("ibex", IBEX_PASSWORD);
    assert_eq!(admin["payload"]["user_level"], 20, "{admin}");
}

#[test]
fn a_new_client_speaks_the_neutral_form_on_the_same_queue() {
    let site = site();
    let client = site.connect("neutral");
    let login = json!({ "op": "login", "args": { "user": "user", "secret": "user" } });
    let answer = client.ask(&login);
    assert!(answer["ok"].is_object(), "{answer}");
    let status = client.ask(&json!({ "op": "status", "args": {} }));
    assert_eq!(status["ok"]["link"], "up", "{status}");
    let unknown = client.ask(&json!({ "op": "stauts", "args": {} }));
    assert_eq!(unknown["error"]["kind"], "unsupported", "{unknown}");
    assert!(
        unknown["error"]["message"]
            .as_str()
            .unwrap()
            .contains("`status`"),
        "{unknown}"
    );
}

#[test]
fn who_listens_to_the_topics_sees_a_script_run_in_order_until_nicos_says_how_it_ended() {
    let site = site();
    let client = site.login("listener");
    calm(&client);
    // One reader for all topics: the broker keeps the order for one reader, not between several.
    site.jms.subscribe("listener", "ss_admin.events.>").unwrap();
    let job = client.queue("seen", "print('seen by all')\nsleep(0.1)\n");
    let (mut states, mut printed, mut last) = (Vec::new(), false, 0);
    while states
        .last()
        .is_none_or(|state: &String| state != "finished")
    {
        let event = site.jms.receive(PATIENCE, |message| {
            message.client == "listener" && message.destination.contains("ss_admin.events.")
        });
        let event = event
            .unwrap()
            .expect("an event until the job has finished")
            .text
            .unwrap();
        let event: Value = serde_json::from_str(&event).unwrap();
        let seq = event["seq"].as_u64().unwrap();
        assert!(seq > last, "numbers only rise: {last}, then {event}");
        last = seq;
        if event["kind"] == "job" && event["job"] == *job {
            states.push(event["body"]["state"].as_str().unwrap().to_owned());
            if states.last().unwrap() == "finished" {
                assert_eq!(event["body"]["outcome"], "succeeded", "{event}");
            }
        }
        printed |= event["body"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("seen by all"));
    }
    assert!(printed, "the script's output was among the events");
    assert_eq!(states, ["queued", "started", "finished"]);
}

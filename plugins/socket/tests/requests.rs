//! Requests and their answers.

mod support;

use patchbay_testkit::{Asked, PATIENCE};
use serde_json::{Value, json};
use support::{World, login};
use tokio::time::timeout;

#[tokio::test]
async fn both_forms_are_answered_in_their_own_words() {
    let world = World::new(json!({})).await;
    let mut client = world.connect().await;
    let welcome = client
        .ask(json!({"id": 1, "op": "login", "args": {"user": "anna", "secret": "good"}}))
        .await;
    assert_eq!(
        welcome,
        json!({"id": 1, "ok": {"session": 1, "role": "admin", "detail": {"user_level": 20}}})
    );
    let submit = client
        .ask(json!({"id": 2, "op": "submit", "args": {"code": "x"}}))
        .await;
    assert_eq!(
        submit,
        json!({"id": 2, "ok": {"op": "submit", "args": {"code": "x"}}})
    );

    let mut nicos = world.connect().await;
    let welcome = nicos
        .ask(json!({"command": "authenticate", "login": "anna", "passwd": "good"}))
        .await;
    assert_eq!(
        (&welcome["success"], &welcome["payload"]["user_level"]),
        (&json!(true), &json!(20))
    );
    let refused = nicos.ask(json!({"command": "no such thing"})).await;
    assert_eq!(refused["success"], false);
    assert!(refused["payload"].is_string(), "{refused}");
}

#[tokio::test]
async fn nothing_is_done_before_the_login_and_after_the_logout() {
    let world = World::new(json!({})).await;
    let mut client = world.connect().await;
    assert_eq!(client.ask(json!({"op": "ping"})).await, json!({"ok": null}));
    for op in ["submit", "emergency", "subscribe"] {
        let answer = client.ask(json!({"op": op, "args": {}})).await;
        assert_eq!(answer["error"]["kind"], "unauthorized", "{op}: {answer}");
    }
    client.ask(login("good")).await;
    assert!(client.ask(json!({"op": "status"})).await["ok"].is_object());
    assert_eq!(
        client.ask(json!({"op": "logout"})).await,
        json!({"ok": null})
    );
    world
        .wait_for(|asked| matches!(asked, Asked::Logout { session: 1 }), 1)
        .await;
    assert_eq!(
        client.ask(json!({"op": "status"})).await["error"]["kind"],
        "unauthorized"
    );
    assert_eq!(world.ops(), ["status"]);
}

#[tokio::test]
async fn a_second_login_takes_the_place_of_the_first_and_a_wrong_one_leaves_it() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    assert_eq!(
        client.ask(login("bad")).await["error"]["kind"],
        "unauthorized"
    );
    assert!(client.ask(json!({"op": "status"})).await["ok"].is_object());
    assert_eq!(client.ask(login("good")).await["ok"]["session"], 3);
    world
        .wait_for(|asked| matches!(asked, Asked::Logout { session: 1 }), 1)
        .await;
}

#[tokio::test]
async fn requests_that_are_sent_right_behind_the_login_are_done_in_its_session() {
    let world = World::new(json!({})).await;
    let mut client = world.connect().await;
    let pipelined = format!("{}\n{}\n", login("good"), json!({"op": "status"}));
    client.send_text(&pipelined).await;
    assert!(client.read().await["ok"]["session"].is_u64());
    assert_eq!(client.read().await["ok"]["op"], "status");
}

#[tokio::test]
async fn requests_with_an_id_are_side_by_side_and_those_without_one_after_the_other() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    client
        .send(json!({"op": "eval", "args": {"code": "1"}}))
        .await;
    client.send(json!({"op": "status"})).await;
    client.send(json!({"op": "ping"})).await;
    world.wait_for_op("eval", 1).await;
    assert_eq!(
        client.ask(json!({"id": "b", "op": "status"})).await["id"],
        "b"
    );
    assert_eq!(
        client.ask(json!({"id": "c", "op": "ping"})).await["id"],
        "c"
    );
    assert_eq!(
        world.ops(),
        ["eval", "status"],
        "the one without an id has not begun"
    );
    world.open();
    assert_eq!(client.read().await["ok"]["op"], "eval");
    assert_eq!(client.read().await["ok"]["op"], "status");
    assert_eq!(client.read().await, json!({"ok": null}));
}

#[tokio::test]
async fn requests_with_an_id_begin_in_their_order() {
    let world = World::new(json!({"limits": {"requests_per_connection": 100}})).await;
    let mut client = world.login().await;
    // Some look, some change something.
    let op = |n: usize| ["history", "submit"][n % 2];
    let request = |n: usize| format!("{}\n", json!({"id": n, "op": op(n), "args": {"key": n}}));
    client
        .send_text(&(0..100).map(request).collect::<String>())
        .await;
    for _ in 0..100 {
        client.read().await;
    }
    let keys = world
        .host
        .asked()
        .into_iter()
        .filter_map(|asked| match asked {
            Asked::Call { args, .. } => args["key"].as_u64(),
            _ => None,
        });
    assert!(keys.eq(0..100));
}

#[tokio::test]
async fn urgent_requests_wait_for_nothing() {
    let world = World::new(json!({"limits": {"requests_per_connection": 1}})).await;
    let mut client = world.login().await;
    client
        .send(json!({"op": "eval", "args": {"code": "1"}}))
        .await;
    for op in ["stop", "emergency"] {
        assert_eq!(client.ask(json!({"op": op})).await["ok"]["op"], op);
    }
    world.open();
    assert_eq!(client.read().await["ok"]["op"], "eval");
}

#[tokio::test]
async fn urgent_requests_have_places_of_their_own_and_no_more() {
    let world = World::new(json!({"limits": {"requests_per_connection": 2}})).await;
    let mut client = world.login().await;
    for id in 0..3 {
        client.send(json!({"id": id, "op": "abort"})).await;
    }
    let busy = client.read().await;
    assert_eq!(
        (&busy["id"], &busy["error"]["kind"]),
        (&json!(2), &json!("busy"))
    );
    world.open();
    for _ in 0..2 {
        assert_eq!(client.read().await["ok"]["op"], "abort");
    }
}

#[tokio::test]
async fn an_emergency_stop_is_sent_even_where_there_is_no_place_for_its_answer() {
    let world = World::new(json!({"limits": {"requests_per_connection": 2}})).await;
    let mut client = world.login().await;
    for id in 0..2 {
        client.send(json!({"id": id, "op": "abort"})).await;
    }
    let told = client.ask(json!({"id": 2, "op": "emergency"})).await;
    assert_eq!(told["error"]["kind"], "unknown-outcome");
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("was sent"), "{message}");
    let sent = world.host.asked().into_iter().any(|asked| match asked {
        Asked::Call { op, .. } => op == "emergency",
        _ => false,
    });
    assert!(sent);
    world.open();
    for _ in 0..2 {
        assert_eq!(client.read().await["ok"]["op"], "abort");
    }
}

#[tokio::test]
async fn one_request_too_many_is_refused_in_its_turn() {
    let world = World::new(json!({"limits": {"requests_per_connection": 2}})).await;
    let mut client = world.login().await;
    for _ in 0..3 {
        client
            .send(json!({"op": "eval", "args": {"code": "1"}}))
            .await;
    }
    let busy = client.ask(json!({"id": 4, "op": "status"})).await;
    assert_eq!(
        (&busy["id"], &busy["error"]["kind"]),
        (&json!(4), &json!("busy"))
    );
    let message = busy["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("limits.requests_per_connection"),
        "{message}"
    );
    world.open();
    assert!(client.read().await["ok"].is_object());
    assert!(client.read().await["ok"].is_object());
    assert_eq!(client.read().await["error"]["kind"], "busy");
    assert!(client.ask(json!({"op": "status"})).await["ok"].is_object());
}

#[tokio::test]
async fn a_stop_is_read_behind_any_number_of_requests_that_wait_for_a_long_one() {
    let world = World::new(json!({"limits": {"requests_per_connection": 1}})).await;
    let mut client = world.login().await;
    client
        .send(json!({"op": "eval", "args": {"code": "1"}}))
        .await;
    for _ in 0..10 {
        client.send(json!({"op": "status"})).await;
    }
    client.send(json!({"op": "stop"})).await;
    let mut answer = client.read().await;
    while answer["ok"]["op"] != "stop" {
        assert_eq!(answer["error"]["kind"], "busy", "{answer}");
        answer = client.read().await;
    }
    world.open();
    assert_eq!(client.read().await["ok"]["op"], "eval");
    assert_eq!(world.ops(), ["eval", "stop"]);
}

#[tokio::test]
async fn a_line_that_is_too_long_is_skipped_and_the_next_one_answered() {
    let world = World::new(json!({"limits": {"line_bytes": 2_000}})).await;
    let mut client = world.login().await;
    let long = json!({"id": 1, "op": "submit", "args": {"code": "x".repeat(2_000)}});
    let refused = client.ask(long).await;
    assert_eq!(refused["error"]["kind"], "too-large", "{refused}");
    assert!(
        refused["payload"]
            .as_str()
            .unwrap()
            .contains("limits.line_bytes"),
        "{refused}"
    );
    assert!(client.ask(json!({"op": "status"})).await["ok"].is_object());
    assert_eq!(world.ops(), ["status"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_the_connection_goes_on() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    client.writing.try_write(b"\xff\xfe{}\n").unwrap();
    for text in ["", "[1]\n", "\r\n", "{\"op\": 7}\n"] {
        client.send_text(text).await;
        let answer = client.read().await;
        assert_eq!(answer["error"]["kind"], "invalid", "{answer}");
    }
    assert_eq!(client.ask(json!({"op": "ping"})).await["ok"], Value::Null);
}

#[tokio::test]
async fn a_long_script_and_a_long_answer_pass() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    let code = "é".repeat(1_000_000);
    let answer = client
        .ask(json!({"op": "submit", "args": {"code": code}}))
        .await;
    assert_eq!(answer["ok"]["args"]["code"], code);
}

/// A status whose answer is that long.
fn long_status(bytes: usize) -> Value {
    json!({"id": 1, "op": "status", "args": {"text": "x".repeat(bytes)}})
}

#[tokio::test]
async fn answers_that_nobody_reads_are_bounded_and_short_ones_always_come() {
    let world = World::new(json!({"limits": {"answer_bytes": 1_000_000}})).await;
    let mut deaf = world.login().await;
    for _ in 0..10 {
        deaf.send(long_status(300_000)).await;
    }
    let mut client = world.login().await;
    let refused = async {
        loop {
            let answer = client.ask(long_status(300_000)).await;
            if answer["ok"].is_null() {
                return answer["error"].clone();
            }
        }
    };
    let refused = timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(
        (&refused["kind"], &refused["retry"]),
        (&json!("busy"), &json!(true))
    );
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("limits.answer_bytes"), "{message}");
    let stopped = client.ask(json!({"op": "stop"})).await;
    assert_eq!(stopped["ok"]["op"], "stop");
    for _ in 0..10 {
        let answer = deaf.read().await;
        assert!(answer["ok"].is_object() || answer["error"]["kind"] == "busy");
    }
    let answer = client.ask(long_status(300_000)).await;
    assert_eq!(answer["ok"]["op"], "status", "there is room again");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_told_apart_from_one_that_was_not_carried_out() {
    let world = World::new(json!({"limits": {"answer_bytes": 65_536}})).await;
    let mut client = world.login().await;
    let looked = client.ask(long_status(40_000)).await["error"].take();
    assert_eq!(
        (&looked["kind"], &looked["retry"]),
        (&json!("too-large"), &json!(false))
    );
    let submit = json!({"op": "submit", "args": {"code": "x".repeat(40_000)}});
    let changed = client.ask(submit).await["error"].take();
    assert_eq!(
        (&changed["kind"], &changed["retry"]),
        (&json!("too-large"), &json!(false))
    );
    let message = changed["message"].as_str().unwrap();
    assert!(message.contains("was carried out"), "{message}");
}

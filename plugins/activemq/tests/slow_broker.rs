//! A broker that takes no answers, because of a client that does not fetch them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::{Kind, head};
use patchbay_servers::{ActiveMq, Connect, Jms, silent};
use patchbay_testkit::FrontendHost;
use serde_json::{Value, json};
use support::scripted::{EMERGENCY, REPLY, STATUS, World};
use support::world::{self, value};
use support::{LIMIT, eventually, ops, start};

const SLEEP: &str = r#"{"op":"eval","args":{"code":"sleep 0.5"}}"#;

async fn await_health(host: &FrontendHost, state: &str) -> head::Health {
    loop {
        let health: head::Health = host.next_of(&[Kind::HEALTH]).await.read_head().unwrap();
        if health.state == state {
            return health;
        }
    }
}

fn eval(length: usize) -> String {
    json!({"op": "eval", "args": {"code": "x".repeat(length)}}).to_string()
}

#[tokio::test]
async fn while_the_broker_takes_no_answers_new_requests_are_refused_but_urgent_ones_done() {
    let limits = json!({"limits": {"answer_bytes": 20_000}});
    let mut world = World::with(limits).await;
    assert_eq!(world.health().await.state, "up");
    // Under way when the bound is hit: one more answer is kept, of the next one only that it was done.
    world.reading.request(2, REPLY, SLEEP).await;
    for number in 3..6 {
        world.reading.request(number, REPLY, &eval(15_000)).await;
    }
    let degraded = await_health(&world.host, "degraded").await;
    assert!(degraded.reason.contains("takes no answers"), "{degraded:?}");
    world.reading.request(6, REPLY, STATUS).await;
    world.reading.request(7, REPLY, EMERGENCY).await;
    assert!(
        eventually(|| ops(&world.host).contains(&"emergency".to_owned())).await,
        "what makes things safe is done"
    );
    let mut answers = std::collections::BTreeMap::new();
    for _ in 2..8 {
        let (frame, answer) = world.answering.answer().await;
        let correlation = frame.header("correlation-id").unwrap().to_owned();
        answers.insert(correlation, answer);
    }
    let length = |id: &str| answers[id]["ok"]["value"].as_str().map(str::len);
    assert_eq!((length("c-3"), length("c-4")), (Some(15_000), Some(15_000)));
    let thrown_away = &answers["c-5"]["error"];
    assert_eq!(thrown_away["kind"], "unknown-outcome", "{thrown_away}");
    assert_eq!(answers["c-6"]["error"]["kind"], "busy");
    assert_eq!(answers["c-7"]["success"], true);
    assert_eq!(await_health(&world.host, "up").await.reason, "");
    world.reading.request(8, REPLY, STATUS).await;
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deaf_client_holds_up_a_real_broker_but_neither_our_memory_nor_an_emergency() {
    let broker = ActiveMq::options()
        .temporary_queue_bytes(200_000)
        .start(&silent)
        .unwrap();
    let jms = Jms::start(&silent).unwrap();
    let limits = json!({"answer_bytes": 300_000});
    let config =
        json!({"broker": broker.stomp().to_string(), "answer_expiry_s": 5, "limits": limits});
    let host = start(config).await;
    let connect = Connect::to(broker.openwire());
    let answer = |id: &str| -> Value { value(&jms.await_reply("gui", id, LIMIT).unwrap()) };
    jms.open("gui", &connect).unwrap();
    jms.send("gui", "login", world::LOGIN).unwrap();
    assert_eq!(answer("login")["success"], true);

    jms.open_deaf("deaf", &connect).unwrap();
    jms.send("deaf", "login", world::LOGIN).unwrap();
    for number in 0..30 {
        jms.send("deaf", &number.to_string(), &eval(50_000))
            .unwrap();
    }
    await_health(&host, "degraded").await;
    jms.send("gui", "ordinary", STATUS).unwrap();
    jms.send("gui", "urgent", EMERGENCY).unwrap();
    assert_eq!(answer("ordinary")["error"]["kind"], "busy");
    assert_eq!(answer("urgent")["success"], true);
    assert!(ops(&host).contains(&"emergency".to_owned()));

    // The broker confirms nothing of what had to wait, not even when the client has gone: it is given up in time.
    jms.kill("deaf").unwrap();
    await_health(&host, "up").await;
    jms.send("gui", "after", STATUS).unwrap();
    assert_eq!(answer("after")["ok"]["run"], "idle");
    host.stop().await.unwrap();
}

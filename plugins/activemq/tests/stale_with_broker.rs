//! Requests that wait in the broker while there is no gateway; with a real ActiveMQ.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::{Kind, head};
use patchbay_servers::{ActiveMq, Connect, Jms, Message, ReplyTo, silent};
use patchbay_testkit::{Asked, FrontendHost};
use serde_json::{Value, json};
use support::world::value;
use support::{LIMIT, eventually, start};

struct Waiting {
    broker: ActiveMq,
    jms: Jms,
}

impl Waiting {
    /// One client has sent and gone, one waits for its answer, and one that has gone wants its answer in a queue.
    fn new(advisories: bool) -> Self {
        let options = ActiveMq::options().advisories(advisories);
        let broker = options.start(&silent).unwrap();
        let jms = Jms::start(&silent).unwrap();
        for client in ["dead", "alive", "elsewhere", "reader"] {
            jms.open(client, &Connect::to(broker.openwire())).unwrap();
            let script = json!({"op": "submit", "args": {"code": client}}).to_string();
            let message = Message::text(&script).correlation(client);
            match client {
                "reader" => {}
                "elsewhere" => {
                    let named = ReplyTo::Queue("answers".into());
                    jms.send_message(client, &message.reply_to(&named)).unwrap();
                }
                _ => jms.send_message(client, &message).unwrap(),
            }
        }
        jms.kill("dead").unwrap();
        jms.kill("elsewhere").unwrap();
        Self { broker, jms }
    }

    async fn gateway(&self, grace_s: u64) -> FrontendHost {
        let login = json!({"user": "ibex", "secret": {"value": "good"}});
        start(json!({
            "broker": self.broker.stomp().to_string(),
            "default_login": login,
            "stale_grace_s": grace_s,
        }))
        .await
    }
}

/// The names of the clients whose scripts were carried out.
fn scripts(host: &FrontendHost) -> Vec<String> {
    let code = |asked| match asked {
        Asked::Call {
            session: 1.., args, ..
        } => Some(args["code"].as_str().unwrap().to_owned()),
        _ => None,
    };
    host.asked().into_iter().filter_map(code).collect()
}

fn job(answer: &Value) -> &Value {
    &answer["ok"]["job"]
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_script_is_carried_out_whose_sender_lives_or_wants_its_answer_in_a_queue() {
    let waiting = Waiting::new(true);
    let host = waiting.gateway(1).await;
    let answer = waiting.jms.await_reply("alive", "alive", LIMIT).unwrap();
    assert_eq!(job(&value(&answer)), "job-1");
    waiting.jms.listen("reader", "answers").unwrap();
    let answer = waiting
        .jms
        .receive(LIMIT, |message| message.destination == "queue://answers")
        .unwrap()
        .unwrap();
    assert_eq!(job(&value(&answer)), "job-1");
    host.counted("requests_stale", 1).await;
    let mut done = scripts(&host);
    done.sort();
    assert_eq!(done, ["alive", "elsewhere"]);
    host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_advisories_is_told_of_and_then_all_are_carried_out() {
    let waiting = Waiting::new(false);
    let host = waiting.gateway(1).await;
    let reason = loop {
        let message = host.next_of(&[Kind::HEALTH]).await;
        let health: head::Health = message.read_head().unwrap();
        if health.state == "degraded" {
            break health.reason;
        }
    };
    assert!(reason.contains("advisories"), "{reason}");
    assert!(eventually(|| scripts(&host).len() == 3).await);
    host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_with_its_broker_finds_its_script_carried_out() {
    let options = ActiveMq::options().persistent(true);
    let mut broker = options.start(&silent).unwrap();
    let jms = Jms::start(&silent).unwrap();
    let connect = Connect::to(broker.openwire()).failover();
    jms.open("patient", &connect).unwrap();
    let script = r#"{"op": "submit", "args": {"code": "patient"}}"#;
    let message = Message::text(script).correlation("1").persistent();
    jms.send_message("patient", &message).unwrap();
    broker.kill9();
    broker.restart().unwrap();
    let waiting = Waiting { broker, jms };
    let host = waiting.gateway(30).await;
    let answer = waiting.jms.await_reply("patient", "1", LIMIT * 3).unwrap();
    assert_eq!(job(&value(&answer)), "job-1");
    assert_eq!(scripts(&host), ["patient"]);
    host.stop().await.unwrap();
}

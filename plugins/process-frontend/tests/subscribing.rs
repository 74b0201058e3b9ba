//! A program that subscribes again before the host has answered.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::path::Path;
use std::time::Duration;

use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Kind, Message, Port, head};
use patchbay_process_frontend::ProcessFrontend;
use patchbay_testkit::Plugin;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Answers nothing.
struct Silent(mpsc::UnboundedSender<Message>);

impl Deliver for Silent {
    fn deliver(&self, message: Message) -> Delivery {
        let _ = self.0.send(message);
        Delivery::Taken
    }
}

/// What the program hears next.
async fn heard(told: &mut mpsc::UnboundedReceiver<Message>) -> Value {
    loop {
        let message = told.recv().await.unwrap();
        if message.kind == Kind::LOG {
            let line: head::Log = message.read_head().unwrap();
            if let Some(text) = line.message.strip_prefix("heard ") {
                return serde_json::from_str(text).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn who_subscribes_again_before_the_answer_is_refused() {
    let child = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/child.py");
    let asks = "since = {'since': {'epoch': 0, 'seq': 0}}\nsay('ready')\n\
                say('subscribe', since, id=1)\nsay('subscribe', since, id=2)\n";
    let config = json!({"program": {"command": ["python3", child], "config": {"do": asks}}});
    let (tell, mut told) = mpsc::unbounded_channel();
    let plugin = Plugin::frontend::<ProcessFrontend>();
    let frontend = plugin.open("under-test", Port::new(Silent(tell))).unwrap();
    let start = head::Start {
        instance: "under-test".into(),
        level: "info".into(),
    };
    frontend.deliver(Message::new(Kind::START, 0, &start).body(config.to_string()));
    let patience = Duration::from_secs(60);
    let heard = timeout(patience, heard(&mut told)).await.unwrap();
    assert_eq!(heard["id"], 2, "{heard}");
    assert_eq!(heard["head"]["fault"]["kind"], "conflict", "{heard}");
}

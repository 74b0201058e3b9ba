//! Heart-beats with a real ActiveMQ, in both directions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use std::time::Duration;

use patchbay_abi::{Kind, head};
use patchbay_testkit::FrontendHost;
use serde_json::json;
use support::world::World;

async fn health(host: &FrontendHost) -> head::Health {
    host.next_of(&[Kind::HEALTH]).await.read_head().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_nothing_is_not_cut_and_a_frozen_broker_is_noticed() {
    let mut world = World::new(json!({"heart_beat_ms": 500})).await;
    assert_eq!(health(&world.host).await.state, "up");
    world.log_in("gui");
    // The broker would cut a silent connection after 1.5 s at most.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let status = r#"{"command":"getstatus"}"#;
    assert_eq!(world.ask("gui", "1", status)["success"], true);

    world.broker.freeze();
    // The next word on the health: nothing was cut before.
    let down = health(&world.host).await;
    assert_eq!(down.state, "down");
    assert!(
        down.reason.contains("nothing came from the broker for 2s"),
        "{}",
        down.reason
    );
    world.broker.thaw();
    while health(&world.host).await.state != "up" {}
    assert_eq!(world.ask("gui", "2", status)["success"], true);
    world.host.stop().await.unwrap();
}

//! The frontend before the scripted broker.

use patchbay_abi::{Kind, head};
use patchbay_testkit::FrontendHost;
use serde_json::json;

use super::broker::{Listener, Peer};
use super::start;

/// The header of a client's temporary queue.
pub const REPLY: &str = "reply-to:/remote-temp-queue/ID\\ch\\c1\\c1\n";
/// Requests in both forms.
pub const LOGIN: &str = r#"{"command":"authenticate","login":"ibex","passwd":"good"}"#;
/// It changes something.
pub const SUBMIT: &str = r#"{"command":"queue","name":"n","code":"x"}"#;
/// It changes something, and the host does not know whether it was done.
pub const EVAL: &str = r#"{"op":"eval","args":{"code":"x"}}"#;
/// It must not wait.
pub const EMERGENCY: &str = r#"{"command":"emergency"}"#;
/// It changes nothing.
pub const STATUS: &str = r#"{"op":"status"}"#;

/// The frontend and both of its connections, with one client logged in.
pub struct World {
    pub host: FrontendHost,
    pub listener: Listener,
    pub reading: Peer,
    pub answering: Peer,
}

impl World {
    /// The frontend, connected, with one client logged in.
    pub async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// The same with these further fields of the configuration.
    pub async fn with(more: serde_json::Value) -> Self {
        let listener = Listener::bind().await;
        let mut config = listener.config();
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (host, (reading, answering)) = tokio::join!(start(config), listener.accept_both());
        let mut world = Self {
            host,
            listener,
            reading,
            answering,
        };
        world.reading.request(1, REPLY, LOGIN).await;
        assert_eq!(world.answering.answer().await.1["success"], true);
        assert!(world.acknowledged("a-1").await);
        world
    }

    /// Whether the next frame acknowledges that message.
    pub async fn acknowledged(&mut self, ack: &str) -> bool {
        let frame = self.reading.frame().await;
        frame.command == "ACK" && frame.header("id") == Some(ack)
    }

    /// Until that is counted.
    pub async fn counted(&self, counter: &str) {
        self.host.counted(counter, 1).await;
    }

    /// The next word on the health.
    pub async fn health(&self) -> head::Health {
        self.host
            .next_of(&[Kind::HEALTH])
            .await
            .read_head()
            .unwrap()
    }
}

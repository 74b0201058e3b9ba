//! The frontend between real JMS clients and a real broker.

use patchbay_servers::{ActiveMq, Connect, Jms, Message, Received, silent};
use patchbay_testkit::FrontendHost;
use serde_json::{Value, json};

use super::{LIMIT, start};

/// The login of an IBEX client.
pub const LOGIN: &str =
    r#"{"command":"authenticate","login":"ibex","passwd":"good","display":"TEST"}"#;

/// A broker, JMS clients and the frontend.
pub struct World {
    pub host: FrontendHost,
    pub jms: Jms,
    pub broker: ActiveMq,
}

impl World {
    /// A broker, clients and the frontend with these further fields of its configuration.
    pub async fn new(config: Value) -> Self {
        let broker = ActiveMq::start(&silent).unwrap();
        let jms = Jms::start(&silent).unwrap();
        let mut all = json!({"broker": broker.stomp().to_string()});
        all.as_object_mut()
            .unwrap()
            .extend(config.as_object().unwrap().clone());
        Self {
            host: start(all).await,
            jms,
            broker,
        }
    }

    /// A client connects to the broker.
    pub fn connect(&self, client: &str) {
        self.jms
            .open(client, &Connect::to(self.broker.openwire()))
            .unwrap();
    }

    /// Its request's answer.
    pub fn ask(&self, client: &str, id: &str, text: &str) -> Value {
        self.jms.send(client, id, text).unwrap();
        value(&self.jms.await_reply(client, id, LIMIT).unwrap())
    }

    /// The same for any kind of message.
    pub fn ask_message(&self, client: &str, id: &str, message: Message) -> Value {
        self.jms
            .send_message(client, &message.correlation(id))
            .unwrap();
        value(&self.jms.await_reply(client, id, LIMIT).unwrap())
    }

    /// A client connects and logs in.
    pub fn log_in(&self, client: &str) {
        self.connect(client);
        assert_eq!(self.ask(client, "login", LOGIN)["success"], true);
    }
}

/// The text as JSON; it has to be a TextMessage.
pub fn value(received: &Received) -> Value {
    assert_eq!(received.kind, "text");
    serde_json::from_str(received.text.as_deref().unwrap()).unwrap()
}

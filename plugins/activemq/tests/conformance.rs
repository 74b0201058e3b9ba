//! The frontend keeps to what is demanded of any, between JMS clients and a real broker.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use patchbay_activemq::ActiveMq as Plugin;
use patchbay_servers::{ActiveMq, Connect, Jms, Received, silent};
use patchbay_testkit::conformance::{self, Client, Peer, Protocol, Told};
use serde_json::{Value, json};

/// The patience of the suite ends before.
const LIMIT: Duration = Duration::from_secs(40);

/// A Java process with clients in it, and the broker that they connect to.
struct Queues {
    jms: Arc<Jms>,
    broker: SocketAddr,
    clients: AtomicU64,
}

/// One of them.
struct Java {
    jms: Arc<Jms>,
    name: String,
}

/// The broker, killed and started again.
struct Broker(Arc<Mutex<ActiveMq>>);

async fn blocking<T: Send + 'static>(does: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(does).await.unwrap()
}

impl Protocol for Queues {
    type Client = Java;

    async fn connect(&self) -> Result<Java, String> {
        let name = format!("client-{}", self.clients.fetch_add(1, Ordering::Relaxed));
        let java = Java {
            jms: self.jms.clone(),
            name,
        };
        let connect = Connect::to(self.broker);
        java.does(move |jms, name| jms.open(name, &connect)).await?;
        Ok(java)
    }
}

impl Java {
    async fn does<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Jms, &str) -> patchbay_servers::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        let (jms, name) = (self.jms.clone(), self.name.clone());
        let done = blocking(move || what(&jms, &name)).await;
        done.map_err(|error| error.to_string())
    }

    async fn say(&self, correlation: &str, text: String) -> Result<(), String> {
        let correlation = correlation.to_owned();
        self.does(move |jms, name| jms.send(name, &correlation, &text))
            .await
    }

    /// The next message that is so.
    async fn hear(
        &self,
        is_so: impl Fn(&Received) -> bool + Send + 'static,
    ) -> Result<(Received, Value), String> {
        let heard = self.does(move |jms, name| {
            jms.receive(LIMIT, |message| message.client == name && is_so(message))
        });
        let message = heard.await?.ok_or("nothing comes")?;
        let text = message.text.as_deref().unwrap_or_default();
        let value = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
        Ok((message, value))
    }

    async fn ask(&self, correlation: &'static str, request: Value) -> Result<Told, String> {
        self.say(correlation, request.to_string()).await?;
        let answer = self.hear(move |message| message.correlation.as_deref() == Some(correlation));
        Ok(told(&answer.await?.1))
    }
}

fn told(answer: &Value) -> Told {
    match answer.get("ok") {
        Some(value) => Ok(value.clone()),
        None => Err(answer["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()),
    }
}

impl Client for Java {
    async fn login(&mut self, user: &str, password: &str) -> Result<Told, String> {
        let login = json!({"op": "login", "args": {"user": user, "secret": password}});
        self.ask("login", login).await
    }

    async fn send(&mut self, tag: u64, op: &str, args: &Value) -> Result<(), String> {
        let request = json!({"op": op, "args": args});
        self.say(&format!("tag-{tag}"), request.to_string()).await
    }

    async fn answer(&mut self) -> Result<(u64, Told), String> {
        let tag = |message: &Received| {
            let tag = message.correlation.as_deref()?.strip_prefix("tag-")?;
            tag.parse().ok()
        };
        let (message, answer) = self.hear(move |message| tag(message).is_some()).await?;
        Ok((tag(&message).unwrap_or_default(), told(&answer)))
    }

    async fn subscribe(&mut self) -> Result<bool, String> {
        self.ask("subscribe", json!({"op": "subscribe"}))
            .await?
            .map(|_| true)
    }

    async fn event(&mut self) -> Result<Value, String> {
        let (_, mut event) = self.hear(|message| message.correlation.is_none()).await?;
        Ok(event["event"]["body"].take())
    }

    async fn babble(&mut self) -> Result<bool, String> {
        self.say("babble", "GET / HTTP/1.1\r\n\r\n".to_owned())
            .await?;
        Ok(true)
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        // It is gone with the broker already, perhaps.
        let _ = self.jms.kill(&self.name);
    }
}

impl Broker {
    async fn with(&self, act: impl FnOnce(&mut ActiveMq) + Send + 'static) {
        let broker = self.0.clone();
        blocking(move || act(&mut broker.lock().unwrap())).await;
    }
}

impl Peer for Broker {
    async fn take_away(&self) {
        self.with(ActiveMq::kill9).await;
    }

    async fn give_back(&self) {
        self.with(|broker| broker.restart().unwrap()).await;
    }
}

#[tokio::test]
async fn it_conforms() {
    let broker = ActiveMq::start(&silent).unwrap();
    let config = json!({"broker": broker.stomp().to_string(), "events": "reply-to"});
    let queues = Queues {
        jms: Arc::new(Jms::start(&silent).unwrap()),
        broker: broker.openwire(),
        clients: AtomicU64::new(0),
    };
    let report = conformance::frontend::<Plugin, _>(config, queues)
        .in_turn()
        .peer(Broker(Arc::new(Mutex::new(broker))))
        .run()
        .await;
    report.assert_all_but(&[]);
}

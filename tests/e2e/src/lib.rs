//! A gateway between real servers, as the end-to-end tests use it.
//!
//! [`Site`] is an instrument: a NICOS daemon, an ActiveMQ broker, the gateway with its plugins, and
//! one Java process with as many JMS clients as a test wants ([`Client`]). [`Local`] is one without a
//! broker, whose gateway has a socket. [`Trio`] has three script servers. Everything ends when it is dropped.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

pub mod demo;
mod lines;
mod local;
mod shape;
pub mod tap;
mod trio;

pub use lines::Lines;
pub use local::{Called, Local, Running};
pub use shape::Shape;
pub use trio::{FRONTENDS, SERVERS, Trio};

use patchbay_servers::{ActiveMq, Connect, Gateway, Jms, Message, Nicos, Received, silent};
use patchbay_testkit::build;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a test waits for anything before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The constant that the IBEX client of 2017 sends as its password.
pub use patchbay_servers::IBEX_PASSWORD;

/// A gateway with a real NICOS behind it and a real broker before it.
pub struct Site {
    /// The JMS clients' process.
    pub jms: Jms,
    /// The gateway.
    pub gateway: Gateway,
    /// The broker.
    pub broker: ActiveMq,
    /// The daemon.
    pub nicos: Nicos,
}

impl Site {
    /// Starts everything, the gateway with the login of old clients mapped to NICOS's `admin`.
    pub fn start() -> Site {
        Site::start_with("")
    }

    /// The same with these further lines in the frontend's configuration.
    pub fn start_with(frontend: &str) -> Site {
        Site::start_by_way(frontend, |server| server)
    }

    /// The same, where the gateway reaches NICOS and the broker (in this order) by the ways that this gives.
    pub fn start_by_way(frontend: &str, mut way: impl FnMut(SocketAddr) -> SocketAddr) -> Site {
        let nicos = Nicos::start(&silent).unwrap();
        let broker = ActiveMq::options().persistent(true).start(&silent).unwrap();
        let config = CONFIG
            .replace("@FRONTEND@", frontend)
            .replace("@NICOS@", &way(nicos.address()).to_string())
            .replace("@STOMP@", &way(broker.stomp()).to_string());
        let gateway = gateway(&config, &["nicos", "activemq"]);
        let jms = Jms::start(&silent).unwrap();
        Site {
            jms,
            gateway,
            broker,
            nicos,
        }
    }

    /// A client with a connection and a temporary queue of its own, not logged in.
    pub fn connect(&self, name: &str) -> Client<'_> {
        self.jms
            .open(name, &Connect::to(self.broker.openwire()))
            .unwrap();
        Client::of(&self.jms, name)
    }

    /// A client as [`Site::connect`] makes it, whose library waits for a broker that is away.
    pub fn connect_patiently(&self, name: &str) -> Client<'_> {
        self.jms
            .open(name, &Connect::to(self.broker.openwire()).failover())
            .unwrap();
        Client::of(&self.jms, name)
    }

    /// A client that has logged in as the IBEX client does.
    pub fn login(&self, name: &str) -> Client<'_> {
        let client = self.connect(name);
        let answer = client.authenticate("ibex", IBEX_PASSWORD);
        assert_eq!(answer["success"], true, "{answer}");
        client
    }
}

/// Starts the gateway that was built, with these plugins; the configuration is a text with
/// `@PLUGINS@` and `@DIR@` in it.
pub fn gateway(config: &str, plugins: &[&str]) -> Gateway {
    for plugin in plugins {
        build::plugin(plugin);
    }
    build::package("patchbay");
    let folder = build::folder();
    let options = Gateway::options(&folder.join("patchbay"), &folder, config);
    options
        .secret("nicos-admin", "admin")
        .start(&silent)
        .unwrap()
}

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
log_level = "debug"

[[backend]]
id = "nicos"
plugin = "nicos"
[backend.config]
address = "@NICOS@"

[[frontend]]
id = "ibex"
plugin = "activemq"
backend = "nicos"
[frontend.config]
broker = "@STOMP@"
@FRONTEND@
[[frontend.login]]
client_user = "ibex"
user = "admin"
secret = { file = "@DIR@/nicos-admin" }
"#;

/// One JMS client.
pub struct Client<'a> {
    jms: &'a Jms,
    name: String,
}

impl<'a> Client<'a> {
    /// The client of that name, which is connected already.
    pub fn of(jms: &'a Jms, name: &str) -> Self {
        Client {
            jms,
            name: name.to_owned(),
        }
    }

    /// Its name in the Java process.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends a text without waiting; the correlation id under which its answer comes.
    pub fn send(&self, text: &str) -> String {
        self.send_message(Message::text(text))
    }

    /// Sends a message without waiting; the correlation id under which its answer comes.
    pub fn send_message(&self, message: Message) -> String {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let correlation = format!("{:x}", LAST.fetch_add(1, Ordering::Relaxed) + 0xfeed_0000);
        self.jms
            .send_message(&self.name, &message.correlation(&correlation))
            .unwrap();
        correlation
    }

    /// The answer to that request, as it came.
    pub fn received(&self, correlation: &str) -> Received {
        self.jms
            .await_reply(&self.name, correlation, PATIENCE)
            .unwrap()
    }

    /// The answer to that request.
    pub fn answer(&self, correlation: &str) -> Value {
        let received = self.received(correlation);
        assert_eq!(received.kind, "text", "clients die of anything but text");
        let text = received.text.unwrap();
        assert!(
            text.is_ascii(),
            "the broker damages some characters: {text}"
        );
        serde_json::from_str(&text).unwrap()
    }

    /// Sends JSON and waits for the answer.
    pub fn ask(&self, request: &Value) -> Value {
        self.answer(&self.send(&request.to_string()))
    }

    /// Asks in the words of NICOS; its payload.
    pub fn nicos(&self, request: &Value) -> Value {
        let answer = self.ask(request);
        assert_eq!(answer["success"], true, "{request}: {answer}");
        answer["payload"].clone()
    }

    /// Asks in the words of NICOS what must fail; the sentence that says why.
    pub fn refused(&self, request: &Value) -> String {
        refusal(&self.ask(request))
    }

    /// Logs in.
    pub fn authenticate(&self, login: &str, password: &str) -> Value {
        let request = json!({
            "command": "authenticate", "login": login, "passwd": password, "display": "test"
        });
        self.ask(&request)
    }

    /// Queues a script; its job.
    pub fn queue(&self, name: &str, code: &str) -> String {
        let job = self.nicos(&json!({ "command": "queue", "name": name, "code": code }));
        job.as_str().unwrap().to_owned()
    }

    /// What is known of a job, by the neutral form.
    pub fn job(&self, job: &str) -> Value {
        let answer = self.ask(&json!({ "op": "job", "args": { "job": job } }));
        assert!(answer["ok"].is_object(), "{answer}");
        answer["ok"].clone()
    }

    /// Waits until a job is in one of these states.
    pub fn wait_for_job(&self, job: &str, states: &[&str]) -> Value {
        let begun = Instant::now();
        loop {
            let known = self.job(job);
            if states.iter().any(|state| known["state"] == *state) {
                return known;
            }
            if begun.elapsed() >= PATIENCE {
                let log = self.nicos(&json!({ "command": "getmessages", "n": 10 }));
                panic!("not {states:?}: {known}; NICOS's log: {log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the daemon's status code is this.
    pub fn wait_for_status(&self, code: i64) {
        wait_until(&format!("status {code}"), || {
            let status = self.nicos(&json!({ "command": "getstatus" }));
            (status["status"][0] == code).then_some(())
        });
    }
}

/// The sentence of an answer that says that something failed.
pub fn refusal(answer: &Value) -> String {
    assert_eq!(answer["success"], false, "{answer}");
    answer["payload"]
        .as_str()
        .expect("errors are always sentences")
        .to_owned()
}

/// Asks again and again, for as long as there is patience.
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = ask() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("in vain: {what}")
}

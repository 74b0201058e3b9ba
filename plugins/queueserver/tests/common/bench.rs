//! A real RE Manager with the plugin on it.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use patchbay_abi::{Kind, head};
use patchbay_queueserver::QueueServer as Plugin;
use patchbay_sdk::Fault;
use patchbay_servers::{QueueServer, QueueServerOptions, silent};
use patchbay_testkit::{BackendHost, TestSession, Wire};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

/// As long a test waits for anything before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// So many RE Managers at a time. Each is four processes, and one that gets no processor for five seconds is restarted by its own
/// watchdog, in the middle of whatever it was asked.
static PLACES: Semaphore = Semaphore::const_new(2);

/// An RE Manager, and its place.
pub struct Placed {
    server: QueueServer,
    _place: SemaphorePermit<'static>,
}

impl Deref for Placed {
    type Target = QueueServer;

    fn deref(&self) -> &QueueServer {
        &self.server
    }
}

impl DerefMut for Placed {
    fn deref_mut(&mut self) -> &mut QueueServer {
        &mut self.server
    }
}

/// Starts an RE Manager; installs it the first time.
pub async fn server() -> Placed {
    server_with(QueueServer::options()).await
}

pub async fn server_with(options: QueueServerOptions) -> Placed {
    let place = PLACES.acquire().await.unwrap();
    let start = move || options.start(&silent).expect("the RE Manager starts");
    Placed {
        server: tokio::task::spawn_blocking(start).await.unwrap(),
        _place: place,
    }
}

/// Starts the plugin with this configuration on top of the addresses.
pub async fn plugin(server: &QueueServer, more: Value) -> BackendHost {
    let mut config = json!({
        "control": server.control().to_string(), "info": server.info().to_string(),
        "login": "anyone", "anyone_role": "admin", "look_s": 0.1, "retry_first_s": 0.05, "retry_most_s": 0.5,
    });
    let fields = config.as_object_mut().unwrap();
    fields.extend(more.as_object().cloned().unwrap_or_default());
    let started = BackendHost::start::<Plugin>(config, Wire::InProcess);
    started.await.expect("the plugin starts")
}

/// Asks until the reply is as wanted, and returns it.
pub async fn until(
    session: &TestSession<'_>,
    op: &str,
    args: Value,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let reply = session.call(op, args.clone()).await;
        match reply {
            Ok(reply) if wanted(&reply) => return reply,
            other if Instant::now() > end => {
                let log = session.call("log", json!({"last": 40})).await;
                {
                    let lines =
                        log.map(|log| log["messages"].as_array().cloned().unwrap_or_default());
                    for line in lines.unwrap_or_default() {
                        eprintln!("  | {} {} {}", line["level"], line["job"], line["text"]);
                    }
                    panic!("`{op}` still says {other:?}")
                }
            }
            _ => sleep(Duration::from_millis(30)).await,
        }
    }
}

/// Submits, and if the environment is still being opened does so again.
pub async fn submit(session: &TestSession<'_>, args: Value) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        match session.call("submit", args.clone()).await {
            Ok(reply) => return reply["job"].as_str().unwrap().to_owned(),
            Err(Fault { retry: true, .. }) if Instant::now() < end => {
                sleep(Duration::from_millis(100)).await;
            }
            Err(fault) => panic!("{fault}"),
        }
    }
}

pub async fn script(session: &TestSession<'_>, name: &str, code: &str) -> String {
    submit(session, json!({"name": name, "code": code})).await
}

pub async fn plan(session: &TestSession<'_>, plan: Value) -> String {
    let args = json!({"kind": "plan", "code": plan.to_string()});
    submit(session, args).await
}

/// Waits until a job has ended.
pub async fn ended(session: &TestSession<'_>, job: &str) -> Value {
    let live = ["queued", "running", "paused"];
    until(session, "job", json!({"job": job}), |job| {
        !live.iter().any(|state| job["state"] == *state)
    })
    .await
}

/// Waits until the instance says that it is so.
pub async fn health(host: &BackendHost, state: &str, word: &str) {
    let wait = async {
        loop {
            let message = host.next_of(&[Kind::HEALTH]).await;
            let health: Value =
                serde_json::to_value(message.read_head::<head::Health>().unwrap()).unwrap();
            if health["state"] == state && health["reason"].as_str().unwrap().contains(word) {
                return;
            }
        }
    };
    let told = timeout(PATIENCE, wait).await;
    told.unwrap_or_else(|_| panic!("never {state} with {word}"));
}

/// Waits until a job is in this state.
pub async fn state(session: &TestSession<'_>, job: &str, state: &str) -> Value {
    until(session, "job", json!({"job": job}), |job| {
        job["state"] == state
    })
    .await
}

/// Waits until the server is so.
pub async fn run(session: &TestSession<'_>, run: &str) -> Value {
    until(session, "status", json!({}), |status| status["run"] == run).await
}

/// The texts of the log that belong to a job.
pub async fn output(session: &TestSession<'_>, job: &str) -> Vec<String> {
    let log = session.call("log", json!({"last": 10000})).await.unwrap();
    let lines = log["messages"].as_array().unwrap().iter();
    let own = lines.filter(|line| line["job"] == job);
    own.map(|line| line["text"].as_str().unwrap().to_owned())
        .collect()
}

/// What the server itself says.
pub async fn native(session: &TestSession<'_>, method: &str, params: Value) -> Value {
    let args = json!({"method": method, "params": params});
    session.call("native", args).await.unwrap()
}

/// The next event of a kind whose body satisfies `wanted`.
pub async fn event_where(
    host: &BackendHost,
    kind: &str,
    wanted: impl Fn(&Value) -> bool,
) -> (Option<String>, Value) {
    let wait = async {
        loop {
            let (job, body) = host.next_event(kind).await;
            if wanted(&body) {
                return (job, body);
            }
        }
    };
    let event = timeout(PATIENCE, wait).await;
    event.unwrap_or_else(|_| panic!("none of the `{kind}` events is the wanted one"))
}

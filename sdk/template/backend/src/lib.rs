//! A backend: it keeps a queue of scripts and runs them one after the other. What a script does is a toy here, each line is
//! said and nothing else; where yours speaks to a script server, `queue.rs` is what becomes the way to that.

mod queue;
mod session;

use crate::queue::Queue;
use crate::session::Somebody;
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Backend, BackendContext, Fault, Health, Login, Role, field_within};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// Runs scripts that do nothing but say their lines. A line `fail` fails, a line `wait` lasts until the script is stopped.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long a line of a script takes, in milliseconds. From 1 to 60000.
    #[serde(default = "half_a_second")]
    pub line_ms: u64,
    /// Jobs that may wait; one more is refused. From 1 to 10000.
    #[serde(default = "some_jobs")]
    pub jobs: usize,
    /// What whoever logs in may do: `view`, `user`, `expert` or `admin`.
    #[serde(default = "run_scripts")]
    pub role: Role,
}

fn half_a_second() -> u64 {
    500
}

fn some_jobs() -> usize {
    100
}

fn run_scripts() -> Role {
    Role::User
}

/// The queue, and the task that works it off.
pub struct Server {
    role: Role,
    queue: Arc<Queue>,
    runner: Mutex<Option<JoinHandle<()>>>,
}

impl Backend for Server {
    type Config = Config;
    type Session = Somebody;
    // There is no password to check here. A backend whose server checks them leaves this line out.
    const TAKES_THE_HOSTS_WORD: bool = true;

    async fn start(config: Config, cx: BackendContext) -> Result<Self, Fault> {
        // What the schema cannot say is checked here. Such a mistake is not tried again.
        field_within("line_ms", config.line_ms, 1, 60_000)?;
        field_within("jobs", config.jobs as u64, 1, 10_000)?;
        let queue = Arc::new(Queue::new(&config, cx.clone()));
        let (of_runner, stop) = (queue.clone(), cx.stop());
        let runner = tokio::spawn(async move { of_runner.work_off(&stop).await });
        // A server that is away would be `Health::Down`, with the reason, and no reason to wait here.
        cx.health(Health::Up);
        Ok(Server {
            role: config.role,
            queue,
            runner: Mutex::new(Some(runner)),
        })
    }

    async fn login(&self, login: Login) -> Result<Somebody, Fault> {
        tracing::info!(user = login.user, "logged in");
        Ok(Somebody {
            user: login.user,
            role: self.role,
            queue: self.queue.clone(),
        })
    }

    /// Waits until nothing runs any more. `Stop` has told the task already.
    async fn stop(&self) {
        if let Some(runner) = self.runner.lock().await.take() {
            // A panic in it has been logged.
            let _ = runner.await;
        }
    }
}

patchbay_sdk::export!(backend = Server);

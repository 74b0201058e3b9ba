//! The backend keeps to what is demanded of any, with a real RE Manager.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use std::sync::{Arc, Mutex};

use bench::{Placed, server};
use patchbay_queueserver::QueueServer as Plugin;
use patchbay_servers::QueueServer;
use patchbay_testkit::conformance::{self, Peer};
use serde_json::json;

/// The RE Manager, killed and started again.
struct Manager(Arc<Mutex<Placed>>);

impl Manager {
    async fn with(&self, act: impl FnOnce(&mut QueueServer) + Send + 'static) {
        let server = self.0.clone();
        let acts = move || act(&mut server.lock().unwrap());
        tokio::task::spawn_blocking(acts).await.unwrap();
    }
}

impl Peer for Manager {
    async fn take_away(&self) {
        self.with(QueueServer::kill9).await;
    }

    async fn give_back(&self) {
        self.with(|server| server.restart().unwrap()).await;
    }
}

#[tokio::test]
async fn it_conforms() {
    let server = server().await;
    let config = json!({
        "control": server.control().to_string(), "info": server.info().to_string(),
        "users": {"anna": {"secret": {"value": "right password"}, "role": "admin"}},
        "look_s": 0.1, "retry_first_s": 0.05, "retry_most_s": 0.5,
    });
    let report = conformance::backend::<Plugin>(config)
        .login("anna", "right password")
        .wrong_login("anna", "wrong password")
        .script("print('done')")
        .failing_script("1 / 0")
        .long_script("import time\nwhile True:\n    time.sleep(0.05)\n")
        .slow_request("eval", json!({"code": "__import__('time').sleep(60)"}))
        .says(|text| ("eval".into(), json!({"code": json!(text).to_string()})))
        .patience(bench::PATIENCE)
        .peer(Manager(Arc::new(Mutex::new(server))))
        .run()
        .await;
    report.assert_all_but(&[]);
}

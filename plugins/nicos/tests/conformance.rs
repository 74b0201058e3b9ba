//! The backend keeps to what is demanded of any, with a real NICOS daemon.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail; not all of the bench is needed"
)]

#[path = "common/bench.rs"]
mod bench;

use std::sync::{Arc, Mutex};

use bench::daemon;
use patchbay_nicos::Nicos as Plugin;
use patchbay_servers::Nicos;
use patchbay_testkit::conformance::{self, Peer};
use serde_json::json;

/// The daemon, killed and started again.
struct Daemon(Arc<Mutex<Nicos>>);

impl Daemon {
    async fn with(&self, act: impl FnOnce(&mut Nicos) + Send + 'static) {
        let nicos = self.0.clone();
        let acts = move || act(&mut nicos.lock().unwrap());
        tokio::task::spawn_blocking(acts).await.unwrap();
    }
}

impl Peer for Daemon {
    async fn take_away(&self) {
        self.with(Nicos::kill9).await;
    }

    async fn give_back(&self) {
        self.with(|nicos| nicos.restart().unwrap()).await;
    }
}

#[tokio::test]
async fn it_conforms() {
    let nicos = daemon().await;
    let config =
        json!({"address": nicos.address().to_string(), "retry_first_s": 0.05, "retry_most_s": 0.5});
    let report = conformance::backend::<Plugin>(config)
        .login("admin", "admin")
        .wrong_login("user", "not the password")
        .script("print('done')")
        .failing_script("1 / 0")
        .long_script("while True:\n    sleep(0.05)\n")
        .slow_request("eval", json!({"code": "__import__('time').sleep(60)"}))
        .says(|text| ("eval".into(), json!({"code": json!(text).to_string()})))
        .peer(Daemon(Arc::new(Mutex::new(nicos))))
        .run()
        .await;
    report.assert_all_but(&[]);
}

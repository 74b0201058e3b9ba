//! What the gateway demands of every backend, with the line server taken away and given back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod server;

use patchbay_lineserver::LineServer;
use patchbay_testkit::{Wire, conformance};
use serde_json::json;

#[tokio::test]
async fn it_keeps_to_what_is_demanded_of_every_backend() {
    let server = server::LineServer::start();
    let report = conformance::backend::<LineServer>(json!({ "address": server.address }))
        .login("anna", "secret")
        .wrong_login("anna", "guessed")
        .slow_request("eval", json!({ "code": "sleep 600" }))
        .says(|text| ("eval".into(), json!({ "code": text })))
        .script("one\ntwo")
        .failing_script("fail")
        .long_script("wait")
        .peer(server.clone())
        .over(Wire::Bytes)
        .run()
        .await;
    println!("{report}");
    report.assert_all_but(&[]);
}

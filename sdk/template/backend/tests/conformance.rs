//! What the gateway demands of every backend. A requirement that is not met is told with the reason, and what is often wrong.

use my_plugin::Server;
use patchbay_testkit::{Wire, conformance};
use serde_json::json;

#[tokio::test]
async fn it_keeps_to_what_is_demanded_of_every_backend() {
    // What is said here is looked at; what is not, such as a `slow_request`, stands as such in the report.
    let report = conformance::backend::<Server>(json!({ "line_ms": 1 }))
        .login("anna", "secret")
        .script("one\ntwo")
        .failing_script("fail")
        .long_script("wait")
        .over(Wire::Bytes)
        .run()
        .await;
    println!("{report}");
    report.assert();
}

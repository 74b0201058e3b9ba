//! The backend keeps to what is demanded of any, with the machine's own Python.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use patchbay_python::Python;
use patchbay_testkit::conformance;
use serde_json::json;

#[tokio::test]
async fn it_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"folder": folder.path().join("python"), "anyone": "admin"});
    let report = conformance::backend::<Python>(config)
        .script("print('done')")
        .failing_script("1 / 0")
        .long_script("import time\nwhile True:\n    time.sleep(0.01)\n")
        .slow_request("eval", json!({"code": "__import__('time').sleep(3600)"}))
        .says(|text| {
            (
                "eval".into(),
                json!({"code": serde_json::to_string(text).unwrap()}),
            )
        })
        .run()
        .await;
    report.assert_all_but(&["A15", "A16", "B2", "B21"]);
}

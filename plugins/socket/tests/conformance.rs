//! The frontend keeps to what is demanded of any, before clients that write lines.

mod support;

use patchbay_socket::Socket;
use patchbay_testkit::{Wire, conformance};
use serde_json::json;
use std::path::Path;
use support::lines::Lines;

#[tokio::test]
async fn it_conforms_whichever_way_messages_cross() {
    for wire in [Wire::InProcess, Wire::Bytes] {
        let folder = tempfile::tempdir().unwrap();
        let path: &Path = &folder.path().join("s");
        let config = json!({ "unix": path });
        let suite = conformance::frontend::<Socket, _>(config, Lines(path.to_owned()));
        let report = suite.over(wire).run().await;
        report.assert_all_but(&["A15", "A16"]);
    }
}

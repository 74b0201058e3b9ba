//! The smallest backend keeps to what is demanded of any.

use patchbay_echo::Echo;
use patchbay_testkit::{Wire, conformance};
use serde_json::json;

#[tokio::test]
async fn it_conforms_whichever_way_messages_cross() {
    for wire in [Wire::InProcess, Wire::Bytes] {
        let suite = conformance::backend::<Echo>(json!({}));
        let report = suite
            .says(|text| ("status".into(), json!({ "text": text })))
            .over(wire)
            .run()
            .await;
        report.assert_all_but(&[
            "A15", "A16", "B2", "B8", "B9", "B10", "B11", "B16", "B17", "B18", "B19", "B20", "B21",
        ]);
    }
}

//! The smallest backend, driven as messages and as bytes.

use patchbay_echo::Echo;
use patchbay_sdk::{FaultKind, Role};
use patchbay_testkit::{BackendHost, Wire};
use serde_json::json;

#[tokio::test]
async fn answers_with_what_it_was_asked_whichever_way_messages_cross() {
    for wire in [Wire::InProcess, Wire::Bytes] {
        let host = BackendHost::start::<Echo>(json!({}), wire).await.unwrap();
        let session = host.login("anybody", "anything").await.unwrap();
        assert_eq!(session.role, Role::Admin);
        let asked = json!({ "text": "é\n", "big": 12345678901234567890u64, "nested": [[], {}] });
        assert_eq!(session.call("status", asked.clone()).await.unwrap(), asked);
        host.stop().await;
    }
}

#[tokio::test]
async fn its_role_is_configured_and_a_mistake_in_that_is_named() {
    let host = BackendHost::start::<Echo>(json!({ "role": "view" }), Wire::Bytes)
        .await
        .unwrap();
    assert_eq!(host.login("a", "b").await.unwrap().role, Role::View);
    let fault = BackendHost::start::<Echo>(json!({ "roll": "view" }), Wire::InProcess)
        .await
        .err()
        .unwrap();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(fault.message.contains("roll"), "{fault}");
}

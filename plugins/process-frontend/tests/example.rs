//! The example: clients that write tagged lines to a TCP port.

mod support;

use patchbay_abi::{Fault, FaultKind};
use patchbay_process_frontend::ProcessFrontend;
use patchbay_sdk::{Event, EventKind};
use patchbay_testkit::conformance::{Client, Protocol};
use patchbay_testkit::{Asked, FrontendHost, PATIENCE, Wire};
use serde_json::{Value, json};
use tokio::time::timeout;

fn answer(asked: &Asked) -> Result<Value, Fault> {
    match asked {
        Asked::Login { secret, .. } if secret != "s" => {
            Err(Fault::new(FaultKind::Unauthorized, "the password is wrong"))
        }
        Asked::Call { op, args, .. } => Ok(json!({ "op": op, "args": args })),
        _ => Ok(Value::Null),
    }
}

#[tokio::test]
async fn clients_log_in_submit_look_and_hear_events() {
    let (config, protocol) = support::example().await;
    let host = FrontendHost::start::<ProcessFrontend>(config, Wire::Bytes, answer)
        .await
        .unwrap();
    let talk = async {
        let mut client = protocol.connect().await.unwrap();
        let refused = client.login("anna", "x").await.unwrap().unwrap_err();
        assert_eq!(refused, "the password is wrong");
        let stranger = client.ask("status").await.unwrap().unwrap_err();
        assert!(stranger.contains("log in first"), "{stranger}");
        assert!(client.login("anna", "s").await.unwrap().unwrap().is_u64());
        let submitted = client.ask(r#"submit {"code": "count(1)"}"#).await.unwrap();
        assert_eq!(
            submitted.unwrap(),
            json!({"op": "submit", "args": {"code": "count(1)"}})
        );
        assert!(client.subscribe().await.unwrap());
        let event = json!({"text": "it counts"});
        host.event(1, Event::new(EventKind::Log, &event).unwrap());
        assert_eq!(client.event().await.unwrap(), event);
    };
    timeout(PATIENCE, talk).await.unwrap();
    host.stop().await.unwrap();
}

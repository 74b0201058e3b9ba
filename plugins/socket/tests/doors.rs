//! Where the frontend listens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_sdk::FaultKind;
use patchbay_socket::Socket;
use patchbay_testkit::{FrontendHost, Wire};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use support::World;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

async fn start(config: Value) -> Result<FrontendHost, patchbay_sdk::Fault> {
    FrontendHost::start::<Socket>(config, Wire::InProcess, |_| Ok(Value::Null)).await
}

async fn refused(config: Value) -> (FaultKind, String) {
    match start(config.clone()).await {
        Ok(_) => panic!("{config} is refused"),
        Err(fault) => (fault.kind, fault.message),
    }
}

#[tokio::test]
async fn over_tcp_it_is_the_same() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let _host = start(json!({"tcp": port.to_string()})).await.unwrap();
    let mut stream = BufReader::new(tokio::net::TcpStream::connect(port).await.unwrap());
    stream
        .write_all(b"{\"id\": 1, \"op\": \"ping\"}\n")
        .await
        .unwrap();
    let mut lines = stream.lines();
    assert!(lines.next_line().await.unwrap().unwrap().contains("hello"));
    assert_eq!(
        lines.next_line().await.unwrap().unwrap(),
        r#"{"id":1,"ok":null}"#
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (kind, message) = refused(json!({"tcp": address})).await;
    assert_eq!(kind, FaultKind::Unavailable);
    assert!(message.contains(&address), "{message}");
}

#[tokio::test]
async fn an_address_that_others_reach_has_to_be_allowed() {
    let (kind, message) = refused(json!({"tcp": "0.0.0.0:0"})).await;
    assert_eq!(kind, FaultKind::Invalid);
    assert!(message.contains("allow_remote"), "{message}");
    start(json!({"tcp": "0.0.0.0:0", "allow_remote": true}))
        .await
        .unwrap();
    let (kind, message) = refused(json!({"tcp": "1310"})).await;
    assert_eq!(kind, FaultKind::Invalid, "{message}");
}

#[tokio::test]
async fn the_file_has_its_mode() {
    for (config, mode) in [(json!({}), 0o600), (json!({"unix_mode": "660"}), 0o660)] {
        let world = World::new(config).await;
        let file = std::fs::metadata(world.dir.path().join("s")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, mode);
    }
}

#[tokio::test]
async fn a_file_of_a_gateway_that_was_killed_is_replaced_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let (kind, message) = refused(json!({"unix": path})).await;
    assert_eq!(kind, FaultKind::Unavailable);
    assert!(message.contains("somebody listens"), "{message}");
    drop(listener);
    drop(start(json!({"unix": path})).await.unwrap());

    let file = dir.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    let (_, message) = refused(json!({"unix": file})).await;
    assert!(message.contains("no socket"), "{message}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
}

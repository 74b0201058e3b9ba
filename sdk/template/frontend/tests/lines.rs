//! The frontend with a gateway that is a function of this test: what a client writes, what it reads.

use my_plugin::Lines;
use patchbay_sdk::{Event, EventKind, Fault, FaultKind};
use patchbay_testkit::{Asked, FrontendHost, PATIENCE, Wire};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// An address that nobody listens at.
async fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Lets in who knows the password, and answers a `status` with what was asked.
fn answer(asked: &Asked) -> Result<Value, Fault> {
    match asked {
        Asked::Login { secret, .. } if secret == "secret" => Ok(Value::Null),
        Asked::Login { .. } => Err(Fault::new(FaultKind::Unauthorized, "a wrong password")),
        Asked::Call { op, args, .. } if op == "status" => Ok(args.clone()),
        _ => Err(Fault::new(FaultKind::Unsupported, "only `status`")),
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(address: &str) -> Client {
        Client(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    async fn read(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.0.read_line(&mut line)).await;
        read.expect("a line within the time").unwrap();
        line
    }

    async fn ask(&mut self, line: &str) -> String {
        self.0.write_all(line.as_bytes()).await.unwrap();
        self.0.write_all(b"\n").await.unwrap();
        self.read().await
    }
}

#[tokio::test]
async fn a_client_logs_in_asks_and_hears() {
    let address = free_address().await;
    let config = json!({ "listen": address });
    let host = FrontendHost::start::<Lines>(config, Wire::Bytes, answer)
        .await
        .unwrap();
    let mut client = Client::connect(&address).await;
    assert!(client.ask("1 status").await.contains("log in first"));
    assert!(
        client
            .ask("2 login anna guess")
            .await
            .starts_with("2 error")
    );
    assert_eq!(client.ask("3 login anna secret").await, "3 ok \"admin\"\n");
    assert_eq!(client.ask("4 status {\"a\": 1}").await, "4 ok {\"a\":1}\n");
    assert!(
        client
            .ask("5 pause")
            .await
            .contains("\"kind\":\"unsupported\"")
    );
    assert_eq!(client.ask("6 events").await, "6 ok null\n");
    host.event(
        1,
        Event::new(EventKind::Log, &json!({ "text": "begun" })).unwrap(),
    );
    let event = client.read().await;
    assert!(
        event.starts_with("- event {") && event.contains("begun"),
        "{event}"
    );
    host.stop().await.unwrap();
    assert_eq!(client.read().await, "");
}

#[tokio::test]
async fn one_client_too_many_is_sent_away_and_told_why() {
    let address = free_address().await;
    let config = json!({ "listen": address, "clients": 1 });
    let host = FrontendHost::start::<Lines>(config, Wire::InProcess, answer)
        .await
        .unwrap();
    let mut first = Client::connect(&address).await;
    first.ask("1 login anna secret").await;
    let mut second = Client::connect(&address).await;
    assert!(second.read().await.contains("too many"));
    assert!(first.ask("2 status").await.starts_with("2 ok"));
    host.stop().await.unwrap();
}

#[tokio::test]
async fn a_mistake_in_the_configuration_is_named() {
    let config = json!({ "listen": "127.0.0.1:0", "clients": 0 });
    let fault = FrontendHost::start::<Lines>(config, Wire::InProcess, answer)
        .await
        .err()
        .unwrap();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(
        fault.message.contains("`clients` must be between"),
        "{fault}"
    );
}

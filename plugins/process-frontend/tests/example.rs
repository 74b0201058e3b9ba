//! The example: clients that write words to a TCP port.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use patchbay_abi::{Fault, FaultKind};
use patchbay_process_frontend::ProcessFrontend;
use patchbay_sdk::{Event, EventKind};
use patchbay_testkit::{Asked, FrontendHost, PATIENCE, Wire};
use serde_json::{Value, json};

fn answer(asked: &Asked) -> Result<Value, Fault> {
    match asked {
        Asked::Login { secret, .. } if secret != "s" => {
            Err(Fault::new(FaultKind::Unauthorized, "the password is wrong"))
        }
        Asked::Call { op, args, .. } => Ok(json!({ "op": op, "args": args })),
        _ => Ok(Value::Null),
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn ask(&mut self, words: &str) -> Value {
        writeln!(self.0.get_mut(), "{words}").unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

#[tokio::test]
async fn clients_log_in_submit_look_and_read_the_tail() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/lines.py");
    let config = json!({"program": {"command": ["python3", program], "config": {"port": port}}});
    let host = FrontendHost::start::<ProcessFrontend>(config, Wire::Bytes, answer)
        .await
        .unwrap();
    let event = Event::new(EventKind::Log, &json!({"text": "it counts"})).unwrap();
    host.event(1, event);
    let talked = tokio::task::spawn_blocking(move || {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client(BufReader::new(stream));
        let refused = client.ask("login anna x");
        assert_eq!(refused["error"], "the password is wrong");
        assert!(
            client.ask("status")["error"]
                .as_str()
                .unwrap()
                .contains("log in first")
        );
        assert!(client.ask("login anna s").is_u64());
        let submitted = client.ask("submit count(1)");
        assert_eq!(
            submitted,
            json!({"op": "submit", "args": {"code": "count(1)"}})
        );
        assert_eq!(client.ask("status")["op"], "status");
        loop {
            // The event and the client's words take different ways.
            let tail = client.ask("tail");
            if tail == json!(["it counts"]) {
                return;
            }
        }
    });
    tokio::time::timeout(PATIENCE, talked)
        .await
        .unwrap()
        .unwrap();
    host.stop().await.unwrap();
}

//! What machines ask a gateway that runs, by real HTTP, and what hostile ones come to.

use crate::running::{Gateway, PATIENCE};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

pub fn started(plugin: &str, backend: &str) -> (Gateway, String) {
    let gateway = Gateway::start("admin_listen = \"127.0.0.1:0\"", plugin, backend);
    let at = gateway.wait("it says where it listens", || {
        let lines = gateway.lines();
        let said = lines.iter().find_map(|line| line["at"].as_str())?;
        said.strip_prefix("http://").map(str::to_owned)
    });
    (gateway, at)
}

/// What comes back, until the other side closes.
fn exchange(mut stream: impl Read + Write, sent: &[u8]) -> String {
    // One that was refused may close before it has read everything.
    let _ = stream.write_all(sent);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn connect(at: &str) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The status and the body.
pub fn get(at: &str, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\n\r\n");
    parts(&exchange(connect(at), request.as_bytes()))
}

fn parts(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").expect(answer);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

#[test]
fn machines_see_that_it_lives_what_runs_and_how_much() {
    let (gateway, at) = started("echo", "");
    gateway.wait_until_ready();
    assert_eq!(get(&at, "/live"), (200, "alive\n".to_owned()));
    let (status, ready) = get(&at, "/ready");
    let ready: Value = serde_json::from_str(&ready).unwrap();
    assert_eq!((status, &ready["ready"]), (200, &json!(true)), "{ready}");
    let mut client = gateway.client();
    client.ask(&json!({"op": "status"}));
    let counted = r#"patchbay_requests_total{op="status","#;
    let metrics = gateway.wait("the request is counted", || {
        let (_, metrics) = get(&at, "/metrics");
        metrics.contains(counted).then_some(metrics)
    });
    for part in [
        "patchbay_requests_total{op=\"status\",frontend=\"local\",backend=\"back\",outcome=\"ok\"} 1",
        "patchbay_sessions{frontend=\"local\"} 1",
        "patchbay_instance_up{instance=\"back\",role=\"backend\",plugin=\"patchbay-echo\"} 1",
        "# TYPE patchbay_request_host_seconds histogram",
    ] {
        assert!(metrics.contains(part), "{part}: {metrics}");
    }
    assert!(metrics.ends_with("# EOF\n") && !metrics.contains("s3cret"));
    gateway.wait("the frontend reports how long answers waited", || {
        let (_, metrics) = get(&at, "/metrics");
        let count = "patchbay_request_frontend_seconds_count{frontend=\"local\"} ";
        let count = metrics.lines().find_map(|line| line.strip_prefix(count))?;
        (count.parse::<u64>().unwrap() >= 2).then_some(())
    });
    let (_, version) = get(&at, "/version");
    let version: Value = serde_json::from_str(&version).unwrap();
    assert_eq!(version["patchbay"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["instances"][0]["plugin"], "patchbay-echo");
    let file = version["instances"][0]["file"].as_str().unwrap();
    assert!(std::path::Path::new(file).exists(), "{version}");
    assert_eq!(get(&at, "/").0, 200);
    let (status, index) = get(&at, "/nothing");
    assert!(status == 404 && index.contains("/metrics"), "{index}");
}

#[test]
fn a_gateway_that_is_not_ready_says_why() {
    let (_gateway, at) = started("rogue", "config = { start = \"hang\" }");
    let (status, ready) = get(&at, "/ready");
    let ready: Value = serde_json::from_str(&ready).unwrap();
    assert_eq!((status, &ready["ready"]), (503, &json!(false)));
    let reason = ready["reason"].as_str().unwrap();
    assert!(reason.contains("`back` is starting"), "{reason}");
    assert_eq!(get(&at, "/live").0, 200);
}

#[test]
fn only_reading_and_only_by_whoever_knows_that_this_is_for_this_machine() {
    let (_gateway, at) = started("echo", "");
    let asked = |head: &str| exchange(connect(&at), format!("{head}\r\n\r\n").as_bytes());
    let head = asked("HEAD /metrics HTTP/1.1\r\nHost: localhost");
    let (status, body) = parts(&head);
    assert!(
        status == 200 && body.is_empty() && head.contains("content-length: "),
        "{head}"
    );
    let refused = asked("POST /live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(parts(&refused).0, 405);
    assert!(refused.contains("allow: GET, HEAD"), "{refused}");
    let rebound = asked("GET /metrics HTTP/1.1\r\nHost: evil.example");
    assert_eq!(parts(&rebound).0, 421, "{rebound}");
    assert!(!rebound.contains("patchbay_"));
    assert_eq!(parts(&asked("nonsense")).0, 400);
}

#[test]
fn hostile_clients_are_bounded_and_others_are_served() {
    let (gateway, at) = started("echo", "");
    let huge = format!("GET /live HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let answer = exchange(connect(&at), huge.as_bytes());
    assert!(answer.is_empty() || answer.contains(" 431 "), "{answer}");
    let many = "X: y\r\n".repeat(1000);
    let answer = exchange(
        connect(&at),
        format!("GET /live HTTP/1.1\r\n{many}\r\n").as_bytes(),
    );
    assert!(answer.contains(" 431 "), "{answer}");
    // More than there is room for, all of which never finish what they say.
    let slow: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = connect(&at);
            stream
                .write_all(b"GET /live HTTP/1.1\r\nHost: loc")
                .unwrap();
            stream
        })
        .collect();
    // They are cut off, and whoever waits behind them is served.
    assert_eq!(get(&at, "/live").0, 200);
    for mut stream in slow {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    let mut client = gateway.client();
    assert!(client.ask(&json!({"op": "status"}))["ok"].is_object());
}

#[test]
fn a_socket_in_the_file_system_is_its_users_own() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("admin.sock");
    let line = format!("admin_listen = {:?}", file.to_str().unwrap());
    let gateway = Gateway::start(&line, "echo", "");
    gateway.wait_until_ready();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let stream = UnixStream::connect(&file).unwrap();
    let answer = exchange(stream, b"GET /ready HTTP/1.1\r\nHost: whatever\r\n\r\n");
    assert_eq!(parts(&answer).0, 200, "{answer}");
}

//! The limits that an operator can set, each hit: what a client is told, and which key it was.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the daemon is shared"
)]

#[path = "common/hostile.rs"]
mod hostile;

use hostile::peer::{dict, sized};
use hostile::{Daemon, Seen, Wrong, daemon, event, health, plugin};
use patchbay_nicos::pickle::Arg;
use patchbay_nicos::verb::{EVAL, GETSCRIPT, GETSTATUS};
use patchbay_sdk::{Fault, FaultKind};
use serde_json::{Value, json};

fn assert_too_large(fault: &Fault, part: &str) {
    assert_eq!(fault.kind, FaultKind::TooLarge, "{fault}");
    assert!(fault.message.contains(part), "`{part}` is not in: {fault}");
}

/// What a call is answered with this configuration.
async fn refused(more: Value, op: &str, args: Value) -> Fault {
    let daemon = daemon().await;
    let host = plugin(&daemon, more).await;
    let user = host.login("u", "x").await.unwrap();
    let fault = user.call(op, args).await.unwrap_err();
    host.stop().await;
    fault
}

#[tokio::test]
async fn no_more_logins_than_are_allowed() {
    let daemon = daemon().await;
    let host = plugin(&daemon, json!({"logins_most": 1})).await;
    let first = host.login("u", "x").await.unwrap();
    let fault = host.login("v", "x").await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Busy, "{fault}");
    assert!(fault.message.contains("`logins_most`"), "{fault}");
    first.call("status", json!({})).await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn an_evaluation_takes_no_longer_than_is_allowed() {
    let daemon = daemon().await;
    let host = plugin(&daemon, json!({"eval_deadline_s": 0.3})).await;
    let user = host.login("u", "x").await.unwrap();
    daemon.spoil("u", EVAL.code, Wrong::Hangs(Vec::new()));
    let fault = user.call("eval", json!({"code": "1"})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    assert!(
        fault.message.contains("no reply to `eval` in time"),
        "{fault}"
    );
    host.stop().await;
}

#[tokio::test]
async fn no_more_messages_and_no_longer_names_than_are_allowed() {
    let fault = refused(json!({"log_most": 5}), "log", json!({"last": 6})).await;
    assert_too_large(&fault, "at most 5 messages are returned (`log_most`)");
    let args = json!({"name": "x".repeat(21), "code": "1"});
    let fault = refused(json!({"name_bytes": 20}), "submit", args).await;
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(fault.message.contains("20 bytes (`name_bytes`)"), "{fault}");
}

/// What becomes of a script that the daemon gives as this payload, with these limits on decoding.
async fn decoded(limits: Value, payload: &[u8]) -> Result<Value, Fault> {
    let daemon = daemon().await;
    let host = plugin(&daemon, json!({"pickle": limits})).await;
    let user = host.login("u", "x").await.unwrap();
    let reply = sized(3, &[b"\x80\x02", payload, b"."].concat());
    daemon.spoil("u", GETSCRIPT.code, Wrong::Says(reply));
    let told = user.call("native", json!({"method": "getscript"})).await;
    host.stop().await;
    told
}

#[tokio::test]
async fn each_limit_on_decoding_is_the_one_that_is_configured() {
    let text = |length: u32| {
        [
            &b"X"[..],
            &length.to_le_bytes(),
            &vec![b'x'; length as usize],
        ]
        .concat()
    };
    let class = |length: usize| [b"cm\n", &vec![b'C'; length][..], b"\n"].concat();
    let cases: [(Value, Vec<u8>, Vec<u8>, &str); 4] = [
        (
            json!({"depth": 8}),
            [b"]".repeat(8), b"a".repeat(7)].concat(),
            [b"]".repeat(9), b"a".repeat(8)].concat(),
            "limit of 8 levels of nesting",
        ),
        (
            json!({"nodes": 100}),
            [&b"("[..], &b"N".repeat(99), b"t"].concat(),
            [&b"("[..], &b"N".repeat(100), b"t"].concat(),
            "limit of 100 values",
        ),
        (
            json!({"output_bytes": 4096}),
            text(4094),
            text(4095),
            "limit of 4096 bytes of JSON",
        ),
        (
            json!({"int_bytes": 8}),
            b"\x8a\x08\0\0\0\0\0\0\0\x01".to_vec(),
            b"\x8a\x09\0\0\0\0\0\0\0\0\x01".to_vec(),
            "limit of 8 bytes in one integer",
        ),
    ];
    for (limits, fits, exceeds, message) in cases {
        decoded(limits.clone(), &fits).await.unwrap();
        let fault = decoded(limits, &exceeds).await.unwrap_err();
        assert_too_large(&fault, message);
    }
    let limits = json!({"name_bytes": 100});
    decoded(limits.clone(), &class(100)).await.unwrap();
    let fault = decoded(limits, &class(101)).await.unwrap_err();
    assert!(
        fault.message.contains("not named by a short text"),
        "{fault}"
    );
}

#[tokio::test]
async fn what_clients_give_is_held_to_the_same_limits() {
    let native = |value: Value| json!({"method": "eval", "params": [value, false]});
    let deep = json!([[[[[[[[1]]]]]]]]);
    let many = json!(vec![1; 100]);
    let long = json!({"$int": "9".repeat(20)});
    for (limits, value, message) in [
        (json!({"depth": 8}), json!([deep]), "nested too deeply"),
        (json!({"nodes": 100}), many, "too many values"),
        (json!({"int_bytes": 8}), long, "one to 19 decimal digits"),
    ] {
        let fault = refused(json!({"pickle": limits}), "native", native(value)).await;
        assert_eq!(fault.kind, FaultKind::Invalid, "{fault}");
        assert!(fault.message.contains(message), "{fault}");
    }
}

#[tokio::test]
async fn a_long_reply_is_skipped_and_a_very_long_one_costs_the_connection() {
    let daemon = daemon().await;
    let more = json!({"frame_limit_bytes": 4096, "skip_limit_bytes": 10_000});
    let host = plugin(&daemon, more).await;
    let user = host.login("u", "x").await.unwrap();
    daemon.spoil("u", GETSTATUS.code, Wrong::Says(sized(3, &[0; 10_000])));
    let fault = user.call("status", json!({})).await.unwrap_err();
    assert_too_large(&fault, "10000 bytes exceeds `frame_limit_bytes` (4096)");
    daemon.spoil("u", GETSTATUS.code, Wrong::Says(sized(3, &[0; 10_001])));
    let fault = user.call("status", json!({})).await.unwrap_err();
    assert!(fault.message.contains("a frame of 10001 bytes"), "{fault}");
    health(&host, "degraded").await;
    health(&host, "up").await;
    host.stop().await;
}

async fn sees_looks(daemon: &mut Daemon, many: usize) {
    for _ in 0..many {
        daemon
            .sees(&Seen::Command("guest".into(), GETSTATUS.code))
            .await;
    }
}

#[tokio::test]
async fn an_event_that_is_too_long_is_counted_and_the_daemon_looked_at_if_it_told_of_jobs() {
    let (livedata, done) = (0x100d, 0x101c);
    for (code, looks) in [(livedata, 1), (done, 2)] {
        let mut daemon = daemon().await;
        daemon.spoil_events("guest", Wrong::Says(event(code, &[0; 5000])));
        let host = plugin(&daemon, json!({"frame_limit_bytes": 4096})).await;
        host.counted("events_too_large", 1).await;
        sees_looks(&mut daemon, looks).await;
        let user = host.login("u", "x").await.unwrap();
        user.call("status", json!({})).await.unwrap();
        let more = daemon.seen_so_far();
        let look = Seen::Command("guest".into(), GETSTATUS.code);
        assert!(!more.contains(&look), "{code:x}");
        host.stop().await;
    }
}

/// The event that tells of a request.
fn request(id: &str) -> Vec<u8> {
    let request = dict(vec![("reqid", Arg::from(id)), ("script", Arg::from("1"))]);
    // Without the header of a reply.
    event(0x1002, &request[5..])
}

#[tokio::test]
async fn no_more_jobs_are_remembered_than_are_allowed() {
    let daemon = daemon().await;
    let requests: Vec<String> = (0..11).map(|number| format!("job-{number}")).collect();
    let events = requests.iter().flat_map(|id| request(id)).collect();
    daemon.spoil_events("guest", Wrong::Says(events));
    let host = plugin(&daemon, json!({"jobs_most": 10})).await;
    while host.next_event("job").await.0.as_deref() != Some("job-10") {}
    let user = host.login("u", "x").await.unwrap();
    let job = async |id: &str| user.call("job", json!({"job": id})).await;
    let fault = job("job-0").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound, "{fault}");
    for id in &requests[1..] {
        job(id).await.unwrap();
    }
    host.stop().await;
}

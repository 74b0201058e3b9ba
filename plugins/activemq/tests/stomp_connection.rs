//! Connecting to what is, or is not, a STOMP broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use std::time::Duration;

use patchbay_activemq::stomp::outgoing::SendError;
use patchbay_activemq::stomp::{ClientFrame, Limits, LinkError, Login, ServerEvent, Target, open};
use patchbay_sdk::SecretSource;
use support::broker::Listener;

fn target(listener: &Listener, connect_timeout: Duration) -> Target {
    Target {
        address: listener.address(),
        login: Some(Login {
            user: "gw".into(),
            passcode: SecretSource::Value("hunter2".into()),
        }),
        tls: None,
        heart_beat: Duration::ZERO,
        connect_timeout,
        write_timeout: Duration::from_millis(500),
        bulk_bytes: 10_000,
        limits: Limits::default(),
    }
}

/// What [`open`] says of a peer that answers CONNECT with these bytes and then waits.
async fn verdict(answer: &str) -> LinkError {
    let listener = Listener::bind().await;
    let target = target(&listener, Duration::from_secs(1));
    let peer = async {
        let mut peer = listener.accept_raw().await;
        peer.frame().await;
        peer.write(answer).await;
        peer.ends_or_frame().await;
    };
    let (opened, ()) = tokio::join!(open(&target), peer);
    opened.expect_err("no connection")
}

#[tokio::test]
async fn whatever_answers_connect_otherwise_is_told_apart() {
    let refused = "ERROR\nmessage:User name [gw] or password is invalid.\n\nx\0\n";
    let cases = [
        ("", "did not answer CONNECT within 1s"),
        (refused, "User name [gw] or password is invalid."),
        (
            "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n\0",
            "is it a STOMP port?",
        ),
        (
            "MESSAGE\ndestination:x\nmessage-id:1\nsubscription:s\n\n\0",
            "is it a STOMP port?",
        ),
    ];
    for (answer, part) in cases {
        let error = verdict(answer).await.to_string();
        assert!(
            error.contains(part) && !error.contains("hunter2"),
            "{answer:?}: {error}"
        );
    }
}

#[tokio::test]
async fn what_was_sent_in_time_is_read_however_long_we_were_held_up() {
    let listener = Listener::bind().await;
    let target = Target {
        heart_beat: Duration::from_millis(50),
        ..target(&listener, Duration::from_secs(10))
    };
    let mut connections = Vec::new();
    for _ in 0..8 {
        let peer = async {
            let mut peer = listener.accept_raw().await;
            peer.frame().await;
            peer.write("CONNECTED\nversion:1.2\nheart-beat:50,50\n\n\0")
                .await;
            peer
        };
        let (opened, mut peer) = tokio::join!(open(&target), peer);
        peer.write("\nRECEIPT\nreceipt-id:7\n\n\0").await;
        connections.push((opened.unwrap(), peer));
    }
    // Longer than the silence that means the end.
    std::thread::sleep(Duration::from_millis(1_300));
    for ((incoming, _), _) in &mut connections {
        let event = incoming.next().await;
        assert!(
            matches!(&event, Ok(ServerEvent::Receipt(id)) if id == "7"),
            "{event:?}"
        );
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_is_told_and_nobody_there_too() {
    let listener = Listener::bind().await;
    let target = target(&listener, Duration::from_secs(1));
    let (opened, _) = tokio::join!(open(&target), async { drop(listener.accept_raw().await) });
    assert!(matches!(
        opened.err(),
        Some(LinkError::Closed | LinkError::Io(_))
    ));
    drop(listener);
    assert!(matches!(
        open(&target).await.err(),
        Some(LinkError::Connect(_))
    ));
}

#[tokio::test]
async fn a_broker_that_stops_reading_ends_the_connection_and_not_our_memory() {
    let listener = Listener::bind().await;
    let target = target(&listener, Duration::from_secs(1));
    let (opened, peer) = tokio::join!(open(&target), listener.accept());
    let (mut incoming, outgoing) = opened.unwrap();
    let writes = async {
        let text = "x".repeat(1 << 20);
        while outgoing
            .send(ClientFrame::send("/queue/q", &*text))
            .await
            .is_ok()
        {}
    };
    let (error, ()) = tokio::join!(incoming.next(), writes);
    assert!(matches!(error, Err(LinkError::NotReading(_))), "{error:?}");
    drop(peer);
}

#[tokio::test]
async fn frames_pass_in_both_directions() {
    let listener = Listener::bind().await;
    let target = target(&listener, Duration::from_secs(1));
    let (opened, mut peer) = tokio::join!(open(&target), listener.accept());
    let (mut incoming, outgoing) = opened.unwrap();
    assert_eq!(incoming.server(), "scripted");
    outgoing
        .send(ClientFrame::send("/queue/q", "hello").receipt("r"))
        .await
        .unwrap();
    let frame = peer.frame().await;
    assert_eq!((&*frame.command, &*frame.body), ("SEND", "hello"));
    peer.receipt(&frame).await;
    assert!(matches!(incoming.next().await, Ok(ServerEvent::Receipt(id)) if id == "r"));
    drop(peer);
    assert!(matches!(incoming.next().await, Err(LinkError::Closed)));
}

#[tokio::test]
async fn what_may_be_dropped_waits_only_up_to_so_many_bytes() {
    let listener = Listener::bind().await;
    let target = target(&listener, Duration::from_secs(1));
    let (opened, peer) = tokio::join!(open(&target), listener.accept());
    let (_incoming, outgoing) = opened.unwrap();
    let event = |length| ClientFrame::send("/topic/t", "x".repeat(length));
    assert_eq!(outgoing.offer(event(20_000)), Err(SendError::Full));
    // Nothing is written before this task waits.
    let taken = (0..10)
        .take_while(|_| outgoing.offer(event(3_000)).is_ok())
        .count();
    assert_eq!(taken, 3);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(outgoing.offer(event(3_000)), Ok(()), "there is room again");
    drop(peer);
}

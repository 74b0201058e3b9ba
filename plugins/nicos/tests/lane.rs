//! Lanes against a scripted daemon: replies stay with their commands whatever goes wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the peer is shared"
)]

#[path = "common/lanes.rs"]
mod lanes;

use std::time::Duration;

use lanes::peer::{Seen, Step, greeter, number, peer, sized};
use lanes::{account, ask, ask_again, daemon, lane, seen, settings, value};
use patchbay_nicos::lane::{Lane, Link, Sort};
use patchbay_nicos::verb::{EVAL, GETSTATUS, GETVERSION, QUEUE};
use patchbay_sdk::FaultKind;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn commands_are_sent_one_at_a_time() {
    let slowly = |answer| vec![Step::Wait(50), Step::Send(number(answer))];
    let mut peer = peer(vec![slowly(1), slowly(2), slowly(3)]).await;
    let lane = lane(&peer, "");
    let (first, second, third) = tokio::join!(
        ask(&lane, EVAL),
        ask(&lane, GETSTATUS),
        ask(&lane, GETVERSION)
    );
    assert_eq!(
        [first.unwrap(), second.unwrap(), third.unwrap()],
        [value(1), value(2), value(3)]
    );
    for expected in [
        Seen::Login,
        Seen::Command(0x22),
        Seen::Command(0x42),
        Seen::Command(0x41),
    ] {
        assert_eq!(seen(&mut peer).await, expected);
    }
}

#[tokio::test]
async fn the_reply_to_a_cancelled_command_is_nobody_elses() {
    let mut peer = peer(vec![
        vec![Step::Wait(200), Step::Send(number(1))],
        vec![Step::Send(number(2))],
    ])
    .await;
    let lane = lane(&peer, "");
    tokio::select! {
        answer = ask(&lane, EVAL) => panic!("it was answered: {answer:?}"),
        () = async { while seen(&mut peer).await != Seen::Command(EVAL.code) {} } => {}
    }
    assert_eq!(ask(&lane, GETSTATUS).await.unwrap(), value(2));
    assert_eq!(seen(&mut peer).await, Seen::Command(GETSTATUS.code));
}

#[tokio::test]
async fn a_command_cancelled_before_its_turn_is_never_sent() {
    let mut peer = peer(vec![
        vec![Step::Wait(200), Step::Send(number(1))],
        vec![Step::Send(number(2))],
    ])
    .await;
    let lane = lane(&peer, "");
    let first = ask(&lane, EVAL);
    let rest = async {
        while seen(&mut peer).await != Seen::Command(EVAL.code) {}
        let waiting = timeout(Duration::from_millis(50), ask(&lane, QUEUE)).await;
        assert!(waiting.is_err());
        ask(&lane, GETSTATUS).await
    };
    let (first, last) = tokio::join!(first, rest);
    assert_eq!((first.unwrap(), last.unwrap()), (value(1), value(2)));
    assert_eq!(seen(&mut peer).await, Seen::Command(GETSTATUS.code));
}

#[tokio::test]
async fn a_reply_after_the_deadline_means_a_new_connection() {
    for (verb, kind) in [
        (QUEUE, FaultKind::UnknownOutcome),
        (GETSTATUS, FaultKind::Timeout),
    ] {
        let late = vec![Step::Wait(400), Step::Send(number(1))];
        let mut peer = peer(vec![late, vec![Step::Send(number(2))]]).await;
        let lane = lane(&peer, r#", "reply_deadline_s": 0.2"#);
        let fault = ask(&lane, verb).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(
            fault.message.contains(verb.name) && fault.message.contains(&peer.address),
            "{fault}"
        );
        assert_eq!(ask_again(&lane, GETVERSION).await, value(2));
        let mut logins = 0;
        while let Ok(seen) = peer.seen.try_recv() {
            logins += usize::from(seen == Seen::Login);
        }
        assert_eq!(logins, 2);
    }
}

#[tokio::test]
async fn a_connection_that_ends_within_a_reply_is_made_anew() {
    let half = vec![Step::Send(vec![0x03, 0, 0, 0, 9, 1, 2]), Step::Close];
    let peer = peer(vec![half, vec![Step::Send(number(2))]]).await;
    let lane = lane(&peer, "");
    let fault = ask(&lane, QUEUE).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    assert_eq!(ask_again(&lane, GETVERSION).await, value(2));
}

#[tokio::test]
async fn a_reply_that_nobody_asked_for_means_a_new_connection() {
    let twice = vec![Step::Send([number(1), number(9)].concat())];
    let peer = peer(vec![twice, vec![Step::Send(number(2))]]).await;
    let lane = lane(&peer, "");
    assert_eq!(ask(&lane, GETSTATUS).await.unwrap(), value(1));
    sleep(Duration::from_millis(50)).await;
    assert_eq!(ask_again(&lane, GETVERSION).await, value(2));
}

#[tokio::test]
async fn a_reply_over_the_limit_is_an_error_and_the_next_one_is_in_step() {
    let long = sized(0x03, &[7; 10_000]);
    let peer = peer(vec![vec![Step::Send(long)], vec![Step::Send(number(2))]]).await;
    let lane = lane(&peer, r#", "frame_limit_bytes": 5000"#);
    let fault = ask(&lane, GETSTATUS).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("10000 bytes"), "{fault}");
    assert_eq!(ask(&lane, GETVERSION).await.unwrap(), value(2));
}

#[tokio::test]
async fn a_full_queue_is_said_to_be_busy() {
    let peer = peer(vec![]).await;
    let lane = lane(&peer, r#", "queue_most": 2"#);
    let waiting = async { tokio::join!(ask(&lane, EVAL), ask(&lane, EVAL)) };
    tokio::select! {
        biased;
        _ = waiting => panic!("the peer never answers"),
        refused = ask(&lane, GETSTATUS) => assert_eq!(refused.unwrap_err().kind, FaultKind::Busy),
    }
}

#[tokio::test]
async fn who_is_no_daemon_is_named_with_its_address() {
    let told = |greeting: &'static [u8], expected: &'static str| async move {
        let address = greeter(greeting.to_vec()).await;
        let settings = settings(&address, r#", "connect_deadline_s": 0.3"#);
        let fault = Link::open(&settings, &account(), false).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");
        assert!(
            fault.message.contains(&address) && fault.message.contains(expected),
            "{fault}"
        );
        assert!(!fault.message.contains("hunter2"));
    };
    told(b"", "within 0.3 s").await;
    told(b"HTTP/1.1 400 Bad Request\r\n", "is it a NICOS daemon").await;
    told(b"\x03\xff\xff\xff\xff\x80\x02", "4294967295 bytes").await;
    told(b"\x03\x00\x00\x00\x10\x80", "within 0.3 s").await;
}

#[tokio::test]
async fn a_daemon_of_another_kind_is_refused_with_what_it_speaks() {
    let banner = |version: u8, serializer: &str| {
        let mut payload = b"\x80\x02}(X\x0e\x00\x00\x00daemon_versionX\x01\x00\x00\x00xX\x0a\x00\x00\x00pw_hashingX\x05\x00\x00\x00plain".to_vec();
        payload.extend(b"X\x0a\x00\x00\x00serializerX");
        payload.extend((serializer.len() as u32).to_le_bytes());
        payload.extend(serializer.as_bytes());
        payload.extend(b"X\x10\x00\x00\x00protocol_versionK");
        payload.extend([version, b'u', b'.']);
        sized(0x03, &payload)
    };
    for (banner, expected) in [
        (banner(16, "classic"), "protocol version 16"),
        (banner(24, "json"), "`json`"),
        (sized(0x03, b"{}"), "`json`"),
    ] {
        let address = greeter(banner).await;
        let fault = Link::open(&settings(&address, ""), &account(), false)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unsupported, "{fault}");
        assert!(fault.message.contains(expected), "{fault}");
    }
}

#[tokio::test]
async fn while_there_is_no_daemon_calls_fail_at_once_and_name_the_address() {
    // A port that was free a moment ago.
    let address = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let lane = Lane::start(Sort::Query, &daemon(&address, ""), account(), None, None);
    for _ in 0..20 {
        let fault = ask(&lane, GETSTATUS).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable);
        assert!(
            fault.message.contains(&address) && fault.message.contains("refused"),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_closed_lane_says_farewell_and_is_gone() {
    let mut peer = peer(vec![vec![Step::Send(number(1))]]).await;
    let lane = lane(&peer, "");
    ask(&lane, GETSTATUS).await.unwrap();
    lane.close().await;
    for expected in [Seen::Login, Seen::Command(GETSTATUS.code), Seen::Closed] {
        assert_eq!(seen(&mut peer).await, expected);
    }
    assert_eq!(
        ask(&lane, GETSTATUS).await.unwrap_err().kind,
        FaultKind::ShuttingDown
    );
}

#[test]
fn a_password_is_never_shown() {
    let shown = format!("{:?} {:?}", account(), settings("a:1", ""));
    assert!(!shown.contains("hunter2"), "{shown}");
}

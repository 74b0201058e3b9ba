//! Programs that do not start, die, hang, or do not end.

mod support;

use std::time::Duration;

use patchbay_abi::{Kind, head};
use patchbay_sdk::FaultKind;
use serde_json::json;
use support::{PATIENCE, config, ends, eval, failed_start, failure, host, logged, start};

#[tokio::test]
async fn who_waits_when_it_dies_learns_what_can_be_known_and_the_host_why() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    // It answers the fourth by dying; the ones before were sent to it.
    let code = json!({"code": "pass"});
    let dies = "print('the magnet has quenched', file=sys.stderr); os._exit(3)";
    let (changes, looks, last) = tokio::join!(
        session.call("submit", code.clone()),
        session.call("status", code),
        eval(&session, dies),
    );
    assert_eq!(changes.unwrap_err().kind, FaultKind::UnknownOutcome);
    assert_eq!(looks.unwrap_err().kind, FaultKind::Unavailable);
    let fault = last.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome);
    assert!(
        !fault.message.contains("magnet"),
        "clients do not read its log: {fault}"
    );
    let down = loop {
        let health = host.next_of(&[Kind::HEALTH]).await;
        let health: head::Health = health.read_head().unwrap();
        if health.state == "down" {
            break health;
        }
    };
    let fault = failure(&host).await;
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert_eq!(fault.message, down.reason);
    for part in ["status 3", "the magnet has quenched"] {
        assert!(fault.message.contains(part), "{fault}");
    }
    // Nobody is sent to it any more.
    assert_eq!(
        eval(&session, "1").await.unwrap_err().kind,
        FaultKind::Unavailable
    );
}

#[tokio::test]
async fn what_it_has_not_read_was_not_done_and_more_is_refused() {
    let unread = 300_000;
    let host = host(
        json!({"unread_bytes": unread, "hang_seconds": 4}),
        json!({}),
    )
    .await;
    let session = host.login("anna", "").await.unwrap();
    // More than fits into its pipe, so that the rest waits here.
    let long = json!({"code": "pass", "more": "x".repeat(100_000)});
    let deaf = eval(&session, "time.sleep(600)");
    let submits = (0..4).map(|_| session.call("submit", long.clone()));
    let mut submits: Vec<_> = submits.map(Box::pin).collect();
    let last = submits.pop().unwrap();
    let (deaf, a, b, c, last) = tokio::join!(
        deaf,
        submits.remove(0),
        submits.remove(0),
        submits.remove(0),
        last
    );
    // The fourth finds no room; it is refused at once, the others when the program is found to hang.
    let last = last.unwrap_err();
    assert_eq!(last.kind, FaultKind::Unavailable);
    assert!(last.message.contains("program.unread_bytes"), "{last}");
    assert_eq!(deaf.unwrap_err().kind, FaultKind::UnknownOutcome);
    // The beginning of the first of them is in the pipe.
    assert_eq!(a.unwrap_err().kind, FaultKind::UnknownOutcome);
    for unsent in [b, c] {
        assert_eq!(unsent.unwrap_err().kind, FaultKind::Unavailable);
    }
    let fault = failure(&host).await;
    assert!(fault.message.contains("program.hang_seconds"), "{fault}");
}

#[tokio::test]
async fn a_program_that_does_not_begin_says_why() {
    for (more, own, kind, parts) in [
        (
            json!({"command": ["no-such-program"]}),
            json!({}),
            FaultKind::Unavailable,
            ["no program", "program.command"],
        ),
        (
            json!({"command": [support::file("Cargo.toml")]}),
            json!({}),
            FaultKind::Unavailable,
            ["may not be run", "chmod"],
        ),
        (
            json!({"folder": "/nowhere/at/all"}),
            json!({}),
            FaultKind::Unavailable,
            ["no folder", "program.folder"],
        ),
        (
            json!({"start_seconds": 0.5}),
            json!({"do": "pass"}),
            FaultKind::Timeout,
            ["`ready`", "program.start_seconds"],
        ),
        (
            json!({}),
            json!({"do": "import nonsuch"}),
            FaultKind::Unavailable,
            ["status 1", "ModuleNotFoundError"],
        ),
        (
            json!({}),
            json!({"do": "say('ready', {'protocol': 9})"}),
            FaultKind::Invalid,
            ["version 9", "version 1"],
        ),
        (
            json!({}),
            json!({"do": "say('failed', {'kind': 'invalid', 'message': 'no such beamline: B9'})"}),
            FaultKind::Invalid,
            ["no such beamline", "B9"],
        ),
        (
            json!({"command": []}),
            json!({}),
            FaultKind::Invalid,
            ["program.command", "arguments"],
        ),
        (
            json!({"colour": 1}),
            json!({}),
            FaultKind::Invalid,
            ["colour", "unknown"],
        ),
    ] {
        let fault = failed_start(more, own).await;
        assert_eq!(fault.kind, kind, "{fault}");
        for part in parts {
            assert!(fault.message.contains(part), "`{part}` is missing: {fault}");
        }
    }
}

#[tokio::test]
async fn a_program_that_cannot_speak_any_more_is_killed() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let asked = eval(&session, "os.close(1); time.sleep(600)");
    let (answer, fault) = tokio::join!(asked, failure(&host));
    assert_eq!(answer.unwrap_err().kind, FaultKind::UnknownOutcome);
    assert!(
        fault.message.contains("closed its standard output"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_program_that_cannot_hear_any_more_is_killed() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let asked = eval(
        &session,
        "os.close(0); say('event', {'kind': 'state'}); time.sleep(600)",
    );
    tokio::pin!(asked);
    tokio::select! {
        never = &mut asked => panic!("{never:?}"),
        _ = host.next_event("state") => {}
    }
    // Whatever it is told now, nobody reads it.
    let looks = session.call("status", json!({}));
    let (answer, look, fault) = tokio::join!(asked, looks, failure(&host));
    assert_eq!(answer.unwrap_err().kind, FaultKind::UnknownOutcome);
    assert_eq!(look.unwrap_err().kind, FaultKind::Unavailable);
    assert!(
        fault.message.contains("closed its standard input"),
        "{fault}"
    );
}

#[tokio::test]
async fn it_is_told_to_stop_and_its_input_ends() {
    let says = "say('stopped'); sys.stdin.buffer.read(); say('event', {'kind': 'log'}, {'text': 'the end'}); sys.exit()";
    let host = host(json!({}), json!({"stop": says})).await;
    host.stop_without_waiting();
    let (_, body) = host.next_event("log").await;
    assert_eq!(body["text"], "the end");
    host.next_of(&[Kind::STOPPED]).await;
}

#[tokio::test]
async fn who_has_stopped_without_having_been_told_to_has_failed() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let waits = eval(&session, "say('stopped'); time.sleep(600)").await;
    assert_eq!(waits.unwrap_err().kind, FaultKind::UnknownOutcome);
    let fault = failure(&host).await;
    assert!(fault.message.contains("said `stopped`"), "{fault}");
}

#[tokio::test]
async fn what_ignores_a_stop_is_killed_with_all_that_it_has_started() {
    let own = json!({"stop": "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"});
    let host = host(json!({"stop_seconds": 0.3}), own).await;
    let session = host.login("anna", "").await.unwrap();
    let code = "grandchildren.append(subprocess.Popen(['sleep', '600'])); reply([os.getpid(), grandchildren[0].pid])";
    let pids = eval(&session, code).await.unwrap();
    host.stop_without_waiting();
    logged(&host, "program.stop_seconds").await;
    assert_eq!(host.counted("killed_at_stop", 1).await, 1);
    host.next_of(&[Kind::STOPPED]).await;
    ends(&pids[0]);
    ends(&pids[1]);
}

#[tokio::test]
async fn it_ends_with_its_instance_also_without_having_been_asked() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let pid = eval(&session, "reply(os.getpid())").await.unwrap();
    drop(session);
    drop(host);
    ends(&pid);
}

#[tokio::test]
async fn a_hanging_program_is_found_and_one_that_answers_is_left_alone() {
    let silent = json!({"ping": "pass"});
    let hung = host(json!({"hang_seconds": 0.3}), silent.clone()).await;
    assert!(
        failure(&hung)
            .await
            .message
            .contains("program.hang_seconds")
    );
    // Where nobody asks, nobody misses an answer.
    let left = start(config(json!({"hang_seconds": 0}), silent))
        .await
        .unwrap();
    let session = left.login("anna", "").await.unwrap();
    let heard = eval(&session, "reply([m['kind'] for m in heard])").await;
    assert_eq!(heard.unwrap(), json!(["start", "login", "call"]));
    let lively = host(json!({"hang_seconds": 3}), json!({})).await;
    let session = lively.login("anna", "").await.unwrap();
    let begun = std::time::Instant::now();
    loop {
        let pings = eval(&session, "reply(sum(m['kind'] == 'ping' for m in heard))").await;
        if pings.unwrap().as_u64() > Some(2) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

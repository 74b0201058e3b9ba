//! Programs that say what they should not, and too much.

mod support;

use patchbay_abi::Kind;
use patchbay_sdk::FaultKind;
use patchbay_testkit::BackendHost;
use serde_json::json;
use support::{eval, failure, host, logged};

#[tokio::test]
async fn a_stray_line_is_in_the_log_and_too_many_are_the_end() {
    let host = host(json!({"nonsense_most": 2}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let answer = eval(
        &session,
        "write('x' * 999 + '\\n\\n'); reply('all is well')",
    )
    .await;
    assert_eq!(answer.unwrap(), "all is well");
    let line = logged(&host, "xxxxx").await;
    assert_eq!(line.level, "error");
    let shown = &line
        .fields
        .iter()
        .find(|(name, _)| name == "line")
        .unwrap()
        .1;
    assert!(shown.len() < 220 && shown.ends_with('…'), "{shown}");
    assert_eq!(host.counted("lines_refused", 1).await, 1);
    let last = eval(&session, "write('a\\nb\\n'); time.sleep(600)").await;
    assert_eq!(last.unwrap_err().kind, FaultKind::UnknownOutcome);
    let fault = failure(&host).await;
    assert!(fault.message.contains("program.nonsense_most"), "{fault}");
}

#[tokio::test]
async fn a_broken_answer_fails_its_request_at_once() {
    let host = host(json!({"line_bytes": 2000}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    for (code, kind, part) in [
        ("reply(float('nan'))", FaultKind::Protocol, "cannot be read"),
        (
            "reply('x' * 3000)",
            FaultKind::TooLarge,
            "program.line_bytes",
        ),
        ("reply(fault='sorry')", FaultKind::Protocol, "its head"),
        (
            "reply(blobs=1); say('reply', id=message['id'], blobs=['?'])",
            FaultKind::Protocol,
            "",
        ),
    ] {
        let fault = match eval(&session, code).await {
            Err(fault) => fault,
            // What a head has more is ignored.
            Ok(value) => {
                assert!(value.is_null() && part.is_empty(), "{code}: {value}");
                continue;
            }
        };
        assert_eq!(fault.kind, kind, "{code}: {fault}");
        assert!(fault.message.contains(part), "{code}: {fault}");
    }
    assert_eq!(eval(&session, "reply('alive')").await.unwrap(), "alive");
}

#[tokio::test]
async fn a_fault_is_passed_on_with_what_follows_from_its_kind() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let code = "reply(fault={'kind': 'busy', 'message': 'the shutter moves'})";
    let fault = eval(&session, code).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::Busy, true));
    assert_eq!(fault.message, "the shutter moves");
}

#[tokio::test]
async fn what_nobody_asked_for_is_counted() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let code = "say('sing'); say('credit', {'events': 1}); say('event', {'job': 'x'}); \
                say('reply', id=4711); reply(1); reply(2)";
    assert_eq!(eval(&session, code).await.unwrap(), 1);
    logged(&host, "sing").await;
    assert_eq!(host.counted("messages_ignored", 2).await, 2);
    assert_eq!(host.counted("events_refused", 1).await, 1);
    assert_eq!(host.counted("replies_late_or_double", 2).await, 2);
}

#[tokio::test]
async fn its_standard_error_is_in_the_log_within_limits() {
    let limits = json!({"stderr_line_bytes": 64, "stderr_lines_per_second": 1});
    let host = host(limits, json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let code = "[sys.stderr.write('y' * 100 + '\\n') for i in range(1000)]; sys.stderr.write('last'); reply()";
    eval(&session, code).await.unwrap();
    let line = logged(&host, "yyyy").await;
    assert!(
        line.message.ends_with("(36 more bytes were cut)"),
        "{}",
        line.message
    );
    assert_eq!(
        (line.level.as_str(), line.target.as_str()),
        ("info", "stderr")
    );
    host.stop_without_waiting();
    let mut left_out = 0;
    while left_out < 500 {
        let metric = host.next_of(&[Kind::METRIC]).await;
        let metric: patchbay_abi::head::Metric = metric.read_head().unwrap();
        if metric.counter == "stderr_lines_left_out" {
            left_out += metric.add;
        }
    }
}

/// One whose program checks passwords, and does that at a login.
async fn with_passwords(login: &str) -> BackendHost {
    let code = format!("{login}; reply(session={{'session': head['session'], 'role': 'user'}})");
    support::with_passwords(json!({ "login": code })).await
}

#[tokio::test]
async fn who_knows_passwords_is_not_quoted() {
    let host = with_passwords("write(repr(message) + '\\n')").await;
    let session = host.login("anna", "hunter2").await.unwrap();
    assert_eq!(session.role, patchbay_sdk::Role::User);
    let line = logged(&host, "cannot be taken").await;
    assert!(!format!("{line:?}").contains("hunter2"), "{line:?}");
    let heard = eval(
        &session,
        "reply([m['secret'] for m in heard if m['kind'] == 'login'][0])",
    )
    .await;
    assert_eq!(heard.unwrap(), "hunter2", "but the program knows it");
}

#[tokio::test]
async fn a_mistake_of_who_knows_passwords_is_not_quoted_either() {
    for (mistake, told) in [
        ("say('log', secret=4711)", "cannot be taken"),
        ("say('metric', {'counter': 4711})", "cannot be taken"),
        ("say('event', {'kind': 4711})", "ignored"),
    ] {
        let host = with_passwords(mistake).await;
        host.login("anna", "4711").await.unwrap();
        let line = format!("{:?}", logged(&host, told).await);
        assert!(!line.contains("4711"), "{mistake}: {line}");
        assert!(line.contains("at line 1 column"), "{mistake}: {line}");
    }
    let host = with_passwords("reply(fault=4711)").await;
    let fault = host.login("anna", "4711").await.err().unwrap();
    assert!(fault.message.contains("cannot be read"), "{fault}");
    assert!(!fault.message.contains("4711"), "{fault}");
}

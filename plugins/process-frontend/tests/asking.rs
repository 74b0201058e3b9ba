//! What a program asks for its clients, and what it hears.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::path::Path;

use patchbay_abi::{Fault, FaultKind, Kind, head};
use patchbay_process_frontend::ProcessFrontend;
use patchbay_sdk::{Event, EventKind};
use patchbay_testkit::{Asked, FrontendHost, Wire};
use serde_json::{Value, json};

/// Lets anna in, and answers with what is asked; `late` never.
fn answer(asked: &Asked) -> Result<Value, Fault> {
    match asked {
        Asked::Login { user, .. } if user != "anna" => {
            Err(Fault::new(FaultKind::Unauthorized, "who is that?"))
        }
        Asked::Call { op, .. } if op == "late" => {
            std::thread::sleep(std::time::Duration::from_secs(600));
            Ok(Value::Null)
        }
        Asked::Call { args, .. } => Ok(args.clone()),
        _ => Ok(json!("welcome")),
    }
}

async fn start(code: &str, more: Value) -> Result<FrontendHost, Fault> {
    let child = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/child.py");
    let mut program = json!({"command": ["python3", child], "config": {"do": code}});
    for (name, value) in more.as_object().unwrap() {
        program[name] = value.clone();
    }
    let program = json!({"program": program});
    let host = FrontendHost::start::<ProcessFrontend>(program, Wire::Bytes, answer).await?;
    if code.contains("ready()") {
        host.event(0, Event::new(EventKind::State, &json!({})).unwrap());
    }
    Ok(host)
}

/// What the program hears next.
async fn heard(host: &FrontendHost) -> Value {
    loop {
        let line: head::Log = host.next_of(&[Kind::LOG]).await.read_head().unwrap();
        if let Some(text) = line.message.strip_prefix("heard ") {
            return serde_json::from_str(text).unwrap();
        }
    }
}

/// The kind of the fault that the program hears next, and of what.
async fn fault(host: &FrontendHost) -> (Value, Value) {
    let heard = heard(host).await;
    (heard["id"].clone(), heard["head"]["fault"]["kind"].clone())
}

const LOGIN: &str = "ready()\n\
                     say('login', {'user': 'anna', 'client': 'here'}, id=1, secret='hunter2')\n\
                     session = hear()['head']['session']['session']\n";

#[tokio::test]
async fn a_client_comes_in_asks_and_leaves() {
    let asks = "say('call', {'session': session, 'op': 'status'}, id=2)\n\
                say('call', {'session': session, 'op': 'submit', 'key': 'k1'}, {'code': 'é'}, id=3)\n\
                hear(), hear()\n\
                say('call', {'op': 'submit', 'key': 'k1', 'asker': session}, {'code': 'é'}, id=4)\n\
                say('call', {'op': 'submit', 'key': 'k1'}, {'code': 'é'}, id=5)\n\
                hear(), hear()\n\
                say('logout', {'session': session})\n\
                say('call', {'session': session, 'op': 'status'}, id=6)\n";
    let host = start(&(LOGIN.to_owned() + asks), json!({})).await.unwrap();
    let welcome = heard(&host).await;
    assert_eq!(
        (&welcome["id"], &welcome["body"]),
        (&json!(1), &json!("welcome"))
    );
    assert_eq!(welcome["head"]["session"]["role"], "admin");
    let session = welcome["head"]["session"]["session"].as_u64().unwrap();
    let mut answers = [heard(&host).await, heard(&host).await];
    answers.sort_by_key(|answer| answer["id"].as_u64());
    assert_eq!(answers[0]["body"], json!({}));
    assert_eq!(answers[1]["body"], json!({"code": "é"}));
    heard(&host).await;
    heard(&host).await;
    assert_eq!(fault(&host).await, (json!(6), json!("unauthorized")));
    let login = |asked: &Asked| matches!(asked, Asked::Login { user, secret } if user == "anna" && secret == "hunter2");
    let asked = host.asked();
    assert!(asked.iter().any(login), "{asked:?}");
    assert!(asked.contains(&Asked::Logout { session }), "{asked:?}");
    let call = |session, asker| Asked::Call {
        session,
        asker,
        key: Some("k1".into()),
        op: "submit".into(),
        args: json!({"code": "é"}),
    };
    for once in [call(session, None), call(0, Some(session)), call(0, None)] {
        assert!(asked.contains(&once), "{once:?} is not among {asked:?}");
    }
    host.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_asked_is_answered_and_what_makes_no_sense_is_ignored() {
    let asks = "ready()\n\
                say('login', {'user': 'berta'}, id=1)\n\
                say('call', {'session': 99, 'op': 'status'}, id=2)\n\
                say('call', {'session': 'x'}, id=3)\n\
                say('event', {'kind': 'log'})\n\
                say('logout')\n\
                say('subscribe', {'since': 1}, id=4)\n";
    let host = start(asks, json!({})).await.unwrap();
    let mut faults = Vec::new();
    while faults.len() < 4 {
        faults.push(fault(&host).await);
    }
    faults.sort_by_key(|(id, _)| id.as_u64());
    let kinds = ["unauthorized", "unauthorized", "invalid", "invalid"];
    let expected: Vec<_> = kinds
        .iter()
        .zip(1..)
        .map(|(kind, id)| (json!(id), json!(kind)))
        .collect();
    assert_eq!(faults, expected);
    host.stop().await.unwrap();
}

#[tokio::test]
async fn too_many_requests_are_refused_and_one_that_is_cancelled_makes_room() {
    let asks = LOGIN.to_owned()
        + "say('call', {'session': session, 'op': 'late'}, id=2)\n\
           say('call', {'session': session, 'op': 'status'}, id=3)\n\
           hear()\n\
           say('cancel', id=2)\n\
           say('call', {'session': session, 'op': 'status'}, id=4)\n";
    let host = start(&asks, json!({"outstanding_most": 1})).await.unwrap();
    heard(&host).await;
    assert_eq!(fault(&host).await, (json!(3), json!("busy")));
    let heard = heard(&host).await;
    assert_eq!((&heard["id"], &heard["body"]), (&json!(4), &json!({})));
}

#[tokio::test]
async fn what_is_urgent_has_room_of_its_own_and_an_emergency_stop_always_has() {
    let asks = LOGIN.to_owned()
        + "say('call', {'session': session, 'op': 'late'}, id=2)\n\
           say('call', {'session': session, 'op': 'stop'}, id=3)\n\
           say('call', {'session': session, 'op': 'late'}, id=4)\n\
           say('call', {'session': session, 'op': 'emergency'}, id=5)\n\
           hear(), hear(), hear()\n";
    let host = start(&asks, json!({"outstanding_most": 1})).await.unwrap();
    heard(&host).await;
    let mut answers = vec![fault(&host).await, fault(&host).await, fault(&host).await];
    answers.sort_by_key(|(id, _)| id.as_u64());
    let done = Value::Null;
    assert_eq!(
        answers,
        [
            (json!(3), done.clone()),
            (json!(4), json!("busy")),
            (json!(5), done)
        ]
    );
}

#[tokio::test]
async fn events_come_as_there_is_credit_for_them() {
    // It hears that it has subscribed before it is ready, and all else after that.
    let asks = "say('subscribe', id=1)\nhear()\nsay('credit', {'events': 2})\nsay('ready')\n\
                hear(), hear()\nsay('subscribe', id=2)\nhear()\n\
                say('login', {'user': 'anna'}, id=3)\nhear()\nsay('credit', {'events': 1})\n";
    let host = start(asks, json!({})).await.unwrap();
    for seq in 1..=3 {
        let event = Event::new(EventKind::Log, &json!({ "text": seq })).unwrap();
        host.event(seq, event.job("j1").blobs([vec![0, 255].into()]));
    }
    for seq in 1..=3 {
        if seq == 3 {
            let refused = fault(&host).await;
            let conflict = (json!(2), json!("conflict"));
            assert_eq!(refused, conflict, "there is one stream");
            let welcome = heard(&host).await;
            assert_eq!(welcome["id"], 3, "without credit no event comes");
        }
        let event = heard(&host).await;
        assert_eq!(event["head"]["seq"], seq);
        assert_eq!(event["head"]["job"], "j1");
        assert_eq!(event["blobs"], json!(["AP8="]));
    }
}

#[tokio::test]
async fn a_program_that_dies_is_a_failure_that_does_not_quote_it() {
    let dies = "say('subscribe'); say('credit', {'events': 1}); say('ready'); hear(); os.write(2, b'hunter2\\n'); print('hunter2', flush=True); os._exit(1)";
    let host = start(dies, json!({})).await.unwrap();
    host.event(1, Event::new(EventKind::State, &json!({})).unwrap());
    let refused = loop {
        let line: head::Log = host.next_of(&[Kind::LOG]).await.read_head().unwrap();
        if line.level == "error" {
            break line;
        }
    };
    assert!(
        !format!("{refused:?}").contains("hunter2"),
        "its clients tell it passwords: {refused:?}"
    );
    let failed: Fault = host.next_of(&[Kind::FAILED]).await.read_head().unwrap();
    assert!(failed.message.contains("status 1"), "{failed}");
    assert!(!failed.message.contains("hunter2"), "{failed}");
}

#[tokio::test]
async fn what_makes_no_sense_is_not_quoted() {
    // What it says before the start is over is not looked at here.
    let asks = "say('subscribe'); say('credit', {'events': 1}); say('ready'); hear()\n\
                say('logout', {'session': 'hunter2'}); say('log', secret=['hunter2'])\n";
    let host = start(asks, json!({})).await.unwrap();
    host.event(1, Event::new(EventKind::State, &json!({})).unwrap());
    let mut said = 0;
    while said < 2 {
        let line: head::Log = host.next_of(&[Kind::LOG]).await.read_head().unwrap();
        let line = format!("{line:?}");
        assert!(!line.contains("hunter2"), "{line}");
        said += usize::from(line.contains("at line 1 column"));
    }
}

#[tokio::test]
async fn a_program_that_cannot_begin_says_why() {
    let says = "say('failed', {'kind': 'invalid', 'message': 'port 1 is not for us'})";
    let fault = start(says, json!({})).await.err().unwrap();
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (FaultKind::Invalid, "port 1 is not for us")
    );
    let fault = start("", json!({"start_seconds": 0.5}))
        .await
        .err()
        .unwrap();
    assert!(fault.message.contains("program.start_seconds"), "{fault}");
}

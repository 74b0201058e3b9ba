//! What a program and the host say to each other when all is well.

mod support;

use patchbay_abi::{Kind, head};
use patchbay_sdk::{FaultKind, Role};
use serde_json::{Value, json};
use support::{config, eval, host, logged, start, with_passwords};

#[tokio::test]
async fn what_is_asked_and_answered_passes_untouched() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let asked = json!({"text": "é\n\u{2028}", "big": u64::MAX, "nested": [[], {}], "null": null});
    assert_eq!(session.call("status", asked.clone()).await.unwrap(), asked);
    let code = "say('reply', {}, message['id'], message['id'], blobs=['AP8=', ''])";
    let reply = session
        .reply("eval", json!({ "code": code }))
        .await
        .unwrap();
    let blobs: Vec<_> = reply.blobs.iter().map(|blob| blob.to_vec()).collect();
    assert_eq!(blobs, [vec![0, 255], vec![]]);
    let digits = "reply(123456789012345678901234567890)";
    let reply = session
        .reply("eval", json!({ "code": digits }))
        .await
        .unwrap();
    assert_eq!(reply.body.get(), "123456789012345678901234567890");
}

#[tokio::test]
async fn it_is_told_who_and_what_it_is() {
    let own = json!({"beamline": "B1", "limits": [0.5, 9007199254740993u64]});
    let host = host(json!({}), own.clone()).await;
    let session = host.login("anna", "hunter2").await.unwrap();
    let heard = eval(&session, "reply(heard)").await.unwrap();
    let start = json!({
        "kind": "start", "id": 0, "head": {"instance": "under-test", "level": "debug", "protocol": 1}, "body": own
    });
    assert_eq!(heard[0], start);
    let of = |kind: &str| {
        heard
            .as_array()
            .unwrap()
            .iter()
            .find(|message| message["kind"] == kind)
            .unwrap()
    };
    let login = of("login");
    assert_eq!(login["head"]["user"], "anna");
    assert_eq!(login["head"]["vouched"], "admin");
    assert_eq!(
        login.get("secret"),
        None,
        "a password that it need not know"
    );
    let call = &of("call")["head"];
    assert_eq!(
        (&call["op"], &call["session"]),
        (&json!("eval"), &json!(session.id()))
    );
    assert!(call["deadline_ms"].as_u64() > Some(1000), "{call}");
    session.logout();
    let other = host.login("berta", "").await.unwrap();
    let heard = eval(
        &other,
        "reply([m['head'] for m in heard if m['kind'] == 'logout'])",
    )
    .await;
    assert_eq!(heard.unwrap().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn nobody_gets_more_than_the_gateway_or_the_program_allows() {
    for (anyone, said, role) in [
        ("user", json!({}), Role::User),
        (
            "user",
            json!({"session": {"session": 1, "role": "admin"}}),
            Role::User,
        ),
        (
            "admin",
            json!({"session": {"session": 1, "role": "view"}}),
            Role::View,
        ),
    ] {
        let mut config = config(
            json!({}),
            json!({"login": format!("reply({{'name': head['user']}}, **{said})")}),
        );
        config["anyone"] = json!(anyone);
        let host = start(config).await.unwrap();
        let session = host.login("anna", "").await.unwrap();
        assert_eq!(session.role, role);
        assert_eq!(session.detail["name"], "anna");
    }
}

#[tokio::test]
async fn who_comes_in_is_said_in_the_configuration() {
    let mut nobody = config(json!({}), json!({}));
    nobody.as_object_mut().unwrap().remove("anyone");
    let host = start(nobody.clone()).await.unwrap();
    let fault = host.login("anna", "x").await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    assert!(fault.message.contains("`anyone`"), "{fault}");
    nobody["passwords"] = json!(true);
    let host = start(nobody.clone()).await.unwrap();
    let fault = host.login("anna", "x").await.err().unwrap();
    assert_eq!(
        fault.kind,
        FaultKind::Protocol,
        "a role has to be said: {fault}"
    );
    nobody["anyone"] = json!("user");
    let fault = start(nobody).await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(fault.message.contains("`anyone`"), "{fault}");
}

#[tokio::test]
async fn whom_only_the_program_lets_in_it_is_told_to_forget() {
    let login = "reply(**{'anna': {'session': {'session': head['session'], 'role': 'user'}},\
                 'berta': {'session': {'session': head['session'], 'role': 'king'}}}.get(head['user'], {}))";
    let host = with_passwords(json!({ "login": login })).await;
    for user in ["berta", "carla"] {
        let fault = host.login(user, "x").await.err().unwrap();
        assert_eq!(fault.kind, FaultKind::Protocol, "{fault}");
    }
    let session = host.login("anna", "x").await.unwrap();
    let told = |kind: &str| {
        format!("reply([m['head']['session'] for m in heard if m['kind'] == '{kind}'])")
    };
    let came = eval(&session, &told("login")).await.unwrap();
    let left = eval(&session, &told("logout")).await.unwrap();
    assert_eq!(left, json!([came[0], came[1]]), "all but anna: {came}");
}

#[tokio::test]
async fn what_it_says_by_itself_arrives() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let says = async |what: &str| {
        eval(&session, &format!("say({what}); reply()"))
            .await
            .unwrap()
    };
    says("'event', {'kind': 'job', 'job': 'j1'}, {'state': 'started'}").await;
    let (job, body) = host.next_event("job").await;
    assert_eq!(job.as_deref(), Some("j1"));
    assert_eq!(body["state"], "started");
    says("'health', {'state': 'degraded', 'reason': 'no beam'}").await;
    let health = host.next_of(&[Kind::HEALTH]).await;
    let health: head::Health = health.read_head().unwrap();
    assert_eq!(health.reason, "no beam");
    says("'log', {'level': 'warn', 'message': 'the helium is low', 'target': 'magnet'}").await;
    let line = logged(&host, "the helium is low").await;
    assert_eq!(line.level, "warn");
    let logger = ("logger".to_owned(), "magnet".to_owned());
    assert!(line.fields.contains(&logger), "{line:?}");
    says("'metric', {'counter': 'scans', 'add': 2}").await;
    assert_eq!(host.counted("scans", 2).await, 2);
    says("'metric', {'counter': 'temperature_mk', 'set': 4200}").await;
    let level = async {
        loop {
            let metric: head::Metric = host.next_of(&[Kind::METRIC]).await.read_head().unwrap();
            if metric.counter == "temperature_mk" {
                return metric.set;
            }
        }
    };
    assert_eq!(level.await, Some(4200));
}

#[tokio::test]
async fn who_does_not_wait_any_more_is_taken_back_or_cancelled() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let waits = eval(&session, "say('event', {'kind': 'state'}, message['id'])");
    let id = tokio::select! {
        never = waits => panic!("{never:?}"),
        (_, id) = host.next_event("state") => id,
    };
    let heard = eval(
        &session,
        "reply([m['id'] for m in heard if m['kind'] == 'cancel'])",
    )
    .await;
    assert_eq!(heard.unwrap(), json!([id]));
}

#[tokio::test]
async fn too_many_are_refused_and_urgent_ones_have_their_own_places() {
    let host = host(json!({"outstanding_most": 1}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let code = "say('event', {'kind': 'state'})";
    let first = eval(&session, code);
    tokio::pin!(first);
    tokio::select! {
        never = &mut first => panic!("{never:?}"),
        _ = host.next_event("state") => {}
    }
    let busy = session.call("status", json!({})).await.unwrap_err();
    assert_eq!(busy.kind, FaultKind::Busy);
    assert!(busy.message.contains("program.outstanding_most"), "{busy}");
    let stop = session.call("stop", json!({"at": "now"})).await;
    assert_eq!(stop.unwrap(), json!({"at": "now"}));
    let waits = session.call("stop", json!({ "code": code }));
    tokio::pin!(waits);
    tokio::select! {
        never = &mut waits => panic!("{never:?}"),
        _ = host.next_event("state") => {}
    }
    let busy = session.call("stop", json!({})).await.unwrap_err();
    assert_eq!(busy.kind, FaultKind::Busy);
    let emergency = session.call("emergency", json!({})).await.unwrap_err();
    assert_eq!(
        emergency.message, "there is no `emergency` here",
        "no limit keeps it from the program"
    );
}

#[tokio::test]
async fn it_sees_the_variables_that_are_listed_and_no_others() {
    let more = json!({"environment": {"LAB": "north"}, "environment_keep": ["CARGO_PKG_NAME"], "folder": "/"});
    let host = host(more, json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let seen = eval(&session, "reply({'cwd': os.getcwd(), **os.environ})")
        .await
        .unwrap();
    let has = |name: &str| seen.get(name).and_then(Value::as_str);
    assert_eq!(
        (has("LAB"), has("CARGO_PKG_NAME")),
        (Some("north"), Some("patchbay-process"))
    );
    assert_eq!(has("CARGO_MANIFEST_DIR"), None);
    assert!(has("PATH").is_some());
    assert_eq!(has("cwd"), Some("/"));
}

#[tokio::test]
async fn what_its_reader_would_choke_on_is_not_sent() {
    let host = host(json!({}), json!({})).await;
    let session = host.login("anna", "").await.unwrap();
    let mut deep = json!(null);
    for _ in 0..120 {
        deep = json!([deep]);
    }
    let fault = session
        .call("status", json!({"a": deep}))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("program.nesting_most"), "{fault}");
    let asked = json!({"a": "[".repeat(5000), "b": "1".repeat(5000)});
    assert_eq!(session.call("status", asked.clone()).await.unwrap(), asked);
}

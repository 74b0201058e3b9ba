//! Jobs on daemons of every protocol that is spoken, and of one that is not known yet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/old_daemon.rs"]
mod old_daemon;

use old_daemon::{OldDaemon, PASSWORD};
use patchbay_sdk::FaultKind;
use patchbay_testkit::{BackendHost, TestSession};
use serde_json::{Value, json};

/// What `job` events have told: ids, states and outcomes.
struct Told<'a> {
    host: &'a BackendHost,
    jobs: Vec<(String, String, Value)>,
}

impl Told<'_> {
    /// Reads on until this is told of the job, and returns the outcome.
    async fn until(&mut self, job: &str, wanted: &str) -> Value {
        loop {
            let (id, body) = self.host.next_event("job").await;
            let id = id.unwrap_or_default();
            let state = body["state"].as_str().unwrap().to_owned();
            let reached = id == job && state == wanted;
            self.jobs.push((id, state, body["outcome"].clone()));
            if reached {
                return body["outcome"].clone();
            }
        }
    }

    fn states(&self, job: &str) -> Vec<&str> {
        let states = self.jobs.iter().filter(|(id, ..)| id == job);
        states.map(|(_, state, _)| state.as_str()).collect()
    }
}

async fn submit(session: &TestSession<'_>, code: &str) -> String {
    let args = json!({"name": "a script", "code": code});
    let reply = session.call("submit", args).await.unwrap();
    reply["job"].as_str().unwrap().to_owned()
}

/// Only the daemon's word makes a success of it, which there is since protocol 22.
fn is_right(protocol: u16, outcome: &Value, with_done: &str) -> bool {
    match protocol {
        22.. => outcome == with_done,
        _ => outcome.is_string() && outcome != "succeeded",
    }
}

async fn jobs_of(protocol: u16) {
    let daemon = OldDaemon::start(protocol);
    let host = daemon.plugin(json!({})).await;
    let refused = host.login("me", "wrong").await.err().unwrap();
    assert_eq!(refused.kind, FaultKind::Unauthorized, "{refused}");
    let me = host.login("me", PASSWORD).await.unwrap();
    assert_eq!(me.detail["user_level"], 10);
    while host.next_event("link").await.1["link"] != "up" {}
    let mut told = Told {
        host: &host,
        jobs: Vec::new(),
    };

    // Idle between the blocks, it is one job all the same, and its messages are its own.
    let blocks = submit(&me, "say hello\nsleep 0.2\nsay bye\n").await;
    let outcome = told.until(&blocks, "finished").await;
    assert!(is_right(protocol, &outcome, "succeeded"), "{outcome}");
    assert_eq!(told.states(&blocks), ["queued", "started", "finished"]);
    let record = me.call("job", json!({"job": blocks})).await.unwrap();
    assert_eq!(
        (&record["state"], &record["user"]),
        (&outcome, &json!("me"))
    );
    let log = me.call("log", json!({"last": 10})).await.unwrap();
    let texts: Vec<_> = log["messages"].as_array().unwrap().iter().collect();
    assert_eq!(texts.len(), 2, "{log}");
    assert!(
        texts.iter().all(|line| line["job"] == blocks.as_str()),
        "{log}"
    );
    assert_eq!(
        (&texts[0]["text"], &texts[1]["text"]),
        (&json!("hello"), &json!("bye"))
    );

    for code in ["say before\nfail now\n", "no python\n"] {
        let failing = submit(&me, code).await;
        let outcome = told.until(&failing, "finished").await;
        assert!(is_right(protocol, &outcome, "failed"), "{code}: {outcome}");
    }

    let running = submit(&me, "sleep 60\n").await;
    told.until(&running, "started").await;
    let waiting = submit(&me, "say never\n").await;
    told.until(&waiting, "queued").await;
    let status = me.call("status", json!({})).await.unwrap();
    assert_eq!(
        (&status["run"], &status["job"]["id"], &status["job"]["body"]),
        (&json!("running"), &json!(running), &json!("sleep 60\n"))
    );
    let queued = json!({"id": waiting, "name": "a script", "user": "me", "body": "say never\n"});
    assert_eq!(status["queue"], json!([queued]));
    me.call("pause", json!({})).await.unwrap();
    told.until(&running, "paused").await;
    me.call("resume", json!({})).await.unwrap();
    told.until(&running, "resumed").await;
    me.call("stop", json!({})).await.unwrap();
    told.until(&waiting, "removed").await;
    let outcome = told.until(&running, "finished").await;
    assert!(is_right(protocol, &outcome, "failed"), "{outcome}");

    let devices = me.call("devices", json!({})).await.unwrap();
    assert_eq!(
        (&devices["setups"], &devices["devices"]),
        (&json!(["base"]), &json!(["motor"]))
    );
    let ended = told.jobs.iter().filter(|(_, state, _)| state == "finished");
    assert_eq!(ended.count(), 4, "each has ended once: {:?}", told.jobs);
    let unknown = me
        .call("eval", json!({"code": "session.unknown"}))
        .await
        .unwrap();
    assert_eq!(
        unknown["value"],
        json!([]),
        "commands that this daemon does not know"
    );
    host.stop().await;
}

macro_rules! protocols {
    ($($name:ident $protocol:literal),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                jobs_of($protocol).await;
            }
        )*
    };
}

protocols! {
    jobs_run_on_a_daemon_of_protocol_17 17,
    jobs_run_on_a_daemon_of_protocol_18 18,
    jobs_run_on_a_daemon_of_protocol_19 19,
    jobs_run_on_a_daemon_of_protocol_20 20,
    jobs_run_on_a_daemon_of_protocol_21 21,
    jobs_run_on_a_daemon_of_protocol_22 22,
    jobs_run_on_a_daemon_of_protocol_23 23,
    jobs_run_on_a_daemon_of_a_protocol_to_come 25,
}

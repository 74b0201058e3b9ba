//! Pause, resume, stop, emergency stop, and questions.

mod common;

use common::{Client, Shop};
use patchbay_sdk::FaultKind;
use serde_json::{Value, json};

const LOOP: &str = "\
import time
count = 0
while True:
    count += 1
    time.sleep(0.01)
";

async fn begin(client: &Client<'_>, code: &str) -> String {
    let job = client.submit(code).await;
    client
        .until("a line", |status| status["job"]["line"].is_u64())
        .await;
    job
}

#[tokio::test]
async fn a_script_is_held_at_a_line_and_goes_on() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let job = begin(&client, LOOP).await;
    for _ in 0..3 {
        client.ok("pause", json!({})).await;
        shop.job_event(&job, "paused").await;
        let status = client.status().await;
        assert_eq!(status["run"], "paused");
        assert!(
            (3..=5).contains(&status["job"]["line"].as_u64().unwrap()),
            "{status}"
        );
        assert_eq!(
            client.ok("job", json!({ "job": job })).await["state"],
            "paused"
        );
        let held_at = client.eval("count").await;
        assert_eq!(
            client.eval("__import__('time').sleep(0.2) or count").await,
            held_at
        );
        client.ok("resume", json!({})).await;
        shop.job_event(&job, "resumed").await;
        client
            .until("more turns", |status| status["run"] == "running")
            .await;
        while client.eval("count").await == held_at {}
    }
    client.ok("stop", json!({})).await;
    let record = client.end(&job).await;
    assert_eq!(
        (&record["state"], &record["error"]),
        (&"failed".into(), &"stopped by anna".into())
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn what_one_line_has_begun_is_finished_before_a_pause_or_a_stop_at_a_line() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code = "import time\ntime.sleep(1); done = True\nafter = True\n";
    for (op, args) in [("pause", json!({})), ("stop", json!({"at": "line"}))] {
        let job = begin(&client, &format!("done = after = False\n{code}")).await;
        client.ok(op, args).await;
        if op == "pause" {
            shop.job_event(&job, "paused").await;
            client.ok("stop", json!({"at": "line"})).await;
        }
        client.end(&job).await;
        assert_eq!(
            client.eval("[done, after]").await,
            json!([true, false]),
            "{op}"
        );
    }
    shop.host.stop().await;
}

#[tokio::test]
async fn a_stop_now_interrupts_a_wait_and_lets_the_script_tidy_up() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code = "import time\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('tidied')\n    raise\n";
    for args in [json!({}), json!({"at": "now"}), json!({"at": "immediate"})] {
        let job = begin(&client, code).await;
        client.ok("stop", args).await;
        let (end, lines) = shop.follow(&job).await;
        assert_eq!(end["outcome"], "failed");
        assert!(
            lines.contains(&("info".into(), "tidied".into())),
            "{lines:?}"
        );
    }
    // That it was stopped is told before it ends.
    let job = begin(&client, code).await;
    client.ok("stop", json!({})).await;
    loop {
        let (of, state) = shop.host.next_event("state").await;
        if of.as_deref() == Some(&job) && state["run"] == "stopping" {
            break;
        }
    }
    shop.host.stop().await;
}

#[tokio::test]
async fn a_stop_that_comes_with_the_beginning_is_not_lost() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    for at in ["now", "line"] {
        for _ in 0..20 {
            let job = client.submit(LOOP).await;
            shop.job_event(&job, "started").await;
            client.ok("stop", json!({ "at": at })).await;
            assert_eq!(client.end(&job).await["error"], "stopped by anna");
        }
    }
    shop.host.stop().await;
}

#[tokio::test]
async fn what_waits_after_a_stop_is_as_configured() {
    for (policy, state) in [
        ("drop", "removed"),
        ("hold", "queued"),
        ("continue", "succeeded"),
    ] {
        let shop = Shop::with(json!({ "on_stop": policy })).await;
        let client = shop.login().await;
        let running = begin(&client, LOOP).await;
        let next = client.submit("print('next')").await;
        client.ok("stop", json!({})).await;
        client.end(&running).await;
        let record = match policy {
            "hold" => client.ok("job", json!({ "job": next })).await,
            _ => client.end(&next).await,
        };
        assert_eq!(record["state"], state, "{policy}");
        assert_eq!(client.status().await["held"].is_null(), policy != "hold");
        if policy == "hold" {
            client.ok("resume", json!({})).await;
            assert_eq!(client.end(&next).await["state"], "succeeded");
        }
        shop.host.stop().await;
    }
}

#[tokio::test]
async fn an_emergency_stop_ends_whatever_runs_and_removes_what_waits() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    for code in [
        LOOP,
        "while True:\n    pass\n",
        "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass\n",
        "import re\nre.match('(a+)+$', 'a' * 50 + 'b')\n",
        "import signal, time\nfor s in (2, 10, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: time.sleep(1)\n",
        "import subprocess\nsubprocess.run(['sleep', '600'])\n",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n",
        "sum(range(10 ** 15))\n",
        "input('go on?')\n",
    ] {
        let job = client.submit(code).await;
        client
            .until("a script that runs", |status| !status["job"].is_null())
            .await;
        let next = client.submit("print('next')").await;
        client.ok("emergency", json!({})).await;
        let status = client.status().await;
        assert_eq!(
            (&status["job"], &status["queue"]),
            (&Value::Null, &json!([])),
            "{code}"
        );
        assert_eq!(
            client.ok("job", json!({ "job": next })).await["state"],
            "removed",
            "{code}"
        );
        let record = client.ok("job", json!({ "job": job })).await;
        let error = record["error"].as_str().unwrap_or_default();
        assert!(
            error.starts_with("emergency stop by anna"),
            "{code}: {record}"
        );
        // And then all goes on.
        let job = client.submit("print('on')").await;
        assert_eq!(client.end(&job).await["state"], "succeeded");
    }
    client.ok("emergency", json!({})).await;
    assert!(client.status().await["held"].is_null());
    shop.host.stop().await;
}

#[tokio::test]
async fn an_abort_kills_a_script_that_does_not_listen() {
    let shop = Shop::with(json!({"abort_seconds": 0.3})).await;
    let client = shop.login().await;
    let code = "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass\n";
    let job = begin(&client, code).await;
    client.ok("abort", json!({})).await;
    let record = client.end(&job).await;
    let error = record["error"].as_str().unwrap();
    assert_eq!(
        error,
        "aborted by anna; the Python process had to be killed"
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn a_script_that_takes_too_long_is_aborted() {
    let shop = Shop::with(json!({"script_seconds": 0.3})).await;
    let client = shop.login().await;
    let job = client.submit(LOOP).await;
    let error = client.end(&job).await["error"].clone();
    assert!(
        error.as_str().unwrap().contains("script_seconds"),
        "{error}"
    );
    let job = client.submit("print('quick')").await;
    assert_eq!(client.end(&job).await["state"], "succeeded");
    shop.host.stop().await;
}

#[tokio::test]
async fn where_nothing_runs_nothing_is_held_or_stopped() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    for op in ["pause", "resume", "stop", "abort"] {
        assert_eq!(
            client.fault(op, json!({})).await.kind,
            FaultKind::Conflict,
            "{op}"
        );
    }
    assert_eq!(
        client.fault("pause", json!({"at": "immediate"})).await.kind,
        FaultKind::Invalid
    );
    assert_eq!(
        client.fault("stop", json!({"at": "never"})).await.kind,
        FaultKind::Invalid
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn a_script_asks_and_gets_an_answer() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let job = client
        .submit("print('got', repr(input('Angle? ')), input())")
        .await;
    for (value, text) in [(json!("3.5"), "Angle? "), (json!([1, 2]), "")] {
        let (of, prompt) = shop.host.next_event("prompt").await;
        assert_eq!(of.as_deref(), Some(job.as_str()));
        assert_eq!(
            (&prompt["text"], &prompt["input"]),
            (&text.into(), &true.into())
        );
        assert_eq!(client.status().await["prompt"]["prompt"], prompt["prompt"]);
        let id = &prompt["prompt"];
        assert_eq!(
            client.fault("answer", json!({ "prompt": id })).await.kind,
            FaultKind::Invalid
        );
        client
            .ok("answer", json!({"prompt": id, "value": value}))
            .await;
        let (_, done) = shop.host.next_event("prompt-done").await;
        assert_eq!(done["prompt"], *id);
        let again = client
            .fault("answer", json!({"prompt": id, "value": 1}))
            .await;
        assert_eq!(again.kind, FaultKind::Conflict);
    }
    client.end(&job).await;
    assert_eq!(client.texts("info").await, ["got '3.5' [1, 2]"]);
    shop.host.stop().await;
}

#[tokio::test]
async fn a_script_that_asks_can_be_stopped() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    for at in ["now", "line"] {
        let job = client.submit("input('Ready?')").await;
        shop.host.next_event("prompt").await;
        client.ok("stop", json!({ "at": at })).await;
        shop.host.next_event("prompt-done").await;
        assert_eq!(client.end(&job).await["error"], "stopped by anna");
        assert!(client.status().await["prompt"].is_null());
    }
    shop.host.stop().await;
}

//! Scripts run, one after the other, and what they did is told.

mod common;

use common::Shop;
use patchbay_sdk::FaultKind;
use serde_json::json;

fn printed(lines: &[(String, String)]) -> Vec<&str> {
    lines.iter().map(|(_, text)| text.as_str()).collect()
}

#[tokio::test]
async fn a_script_prints_succeeds_and_is_remembered() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let job = client
        .submit("for i in range(3):\n    print('step', i)\n")
        .await;
    let (end, lines) = shop.follow(&job).await;
    assert_eq!(printed(&lines), ["step 0", "step 1", "step 2"]);
    assert_eq!(
        (&end["outcome"], &end["user"]),
        (&"succeeded".into(), &"anna".into())
    );
    let record = client.ok("job", json!({ "job": job })).await;
    assert_eq!(record["state"], "succeeded");
    assert!(record["ended"].as_f64() >= record["started"].as_f64());
    let status = client.status().await;
    assert_eq!(
        (&status["run"], &status["last"]["id"]),
        (&"idle".into(), &job.into())
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn a_failure_shows_the_scripts_own_lines() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code = "def inner():\n    return nope  # here\n\ninner()\n";
    let job = client.submit(code).await;
    let record = client.end(&job).await;
    assert_eq!(record["state"], "failed");
    assert_eq!(record["error"], "NameError: name 'nope' is not defined");
    let log = client.ok("log", json!({})).await;
    let last = log["messages"].as_array().unwrap().last().unwrap().clone();
    let trace = last["traceback"].as_str().unwrap();
    for text in [
        "line 4, in <module>",
        "line 2, in inner",
        "return nope  # here",
    ] {
        assert!(trace.contains(text), "{text} in {trace}");
    }
    assert!(!trace.contains("worker.py"), "{trace}");
    assert_eq!(client.status().await["run"], "idle-after-failure");
    let job = client.submit("def f(:\n").await;
    let record = client.end(&job).await;
    let error = record["error"].as_str().unwrap();
    assert!(
        error.starts_with("SyntaxError") && error.contains("line 1"),
        "{error}"
    );
    shop.host.stop().await;
}

#[tokio::test]
async fn exits_are_told_apart() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    for (code, state, error) in [
        ("import sys; sys.exit()", "succeeded", None),
        ("import sys; sys.exit(0)", "succeeded", None),
        (
            "raise SystemExit(3)",
            "failed",
            Some("the script exited with 3"),
        ),
        (
            "raise KeyboardInterrupt",
            "failed",
            Some("KeyboardInterrupt"),
        ),
        ("", "succeeded", None),
    ] {
        let job = client.submit(code).await;
        let record = client.end(&job).await;
        assert_eq!(record["state"], state, "{code}");
        assert_eq!(record["error"].as_str(), error, "{code}");
    }
    shop.host.stop().await;
}

#[tokio::test]
async fn names_are_shared_or_not_as_configured() {
    for (namespace, outcome) in [("shared", "succeeded"), ("fresh", "failed")] {
        let shop = Shop::with(json!({ "namespace": namespace })).await;
        let client = shop.login().await;
        let first = client.submit("x = 7").await;
        client.end(&first).await;
        assert_eq!(client.eval("x + 1").await, 8);
        let second = client.submit("print(x)").await;
        assert_eq!(client.end(&second).await["state"], outcome, "{namespace}");
        let capabilities = client.ok("capabilities", json!({})).await;
        assert_eq!(capabilities["isolation"], namespace);
        shop.host.stop().await;
    }
}

#[tokio::test]
async fn every_way_of_printing_is_heard_and_comes_before_the_end() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code = r#"
import os, subprocess, sys, logging
print("out", end="")
sys.stderr.write("err\n")
subprocess.run(["sh", "-c", "echo child; echo child err >&2; printf rest"])
os.write(1, b"raw \xff\n")
sys.stdout.buffer.write(b"bytes\n")
logging.getLogger("mine").warning("careful %d", 5)
logging.info("by the way")
print("\ud800 lone")
"#;
    let job = client.submit(code).await;
    let (end, lines) = shop.follow(&job).await;
    assert_eq!(end["outcome"], "succeeded");
    for (level, text) in [
        ("error", "err"),
        ("info", "child"),
        ("error", "child err"),
        ("info", "restraw \u{fffd}"),
        ("info", "bytes"),
        ("warning", "careful 5"),
        ("info", "by the way"),
        ("info", "out? lone"),
    ] {
        let is_it = |(at, said): &(String, String)| at == level && said == text;
        assert!(lines.iter().any(is_it), "{level} {text}: {lines:?}");
    }
    shop.host.stop().await;
}

#[tokio::test]
async fn what_waits_is_moved_changed_and_removed() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let running = client
        .submit("import time\nwhile 'go' not in globals():\n    time.sleep(0.01)\n")
        .await;
    client
        .until("a script that runs", |status| status["run"] == "running")
        .await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(client.submit(&format!("print('{name}')")).await);
    }
    let order = [&ids[2], &ids[0], &ids[1]];
    client.ok("reorder", json!({ "jobs": order })).await;
    let (_, told) = shop.host.next_event("queue").await;
    assert_eq!(told["jobs"], json!(order));
    client
        .ok("edit", json!({"job": ids[0], "code": "print('changed')"}))
        .await;
    client.ok("remove", json!({"job": ids[1]})).await;
    assert_eq!(
        client.ok("job", json!({"job": ids[1]})).await["state"],
        "removed"
    );
    let queue = client.status().await["queue"].clone();
    let shown: Vec<_> = queue
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["body"].clone())
        .collect();
    assert_eq!(shown, ["print('three')", "print('changed')"]);

    for (op, args, kind) in [
        ("reorder", json!({"jobs": [ids[0]]}), FaultKind::Conflict),
        (
            "reorder",
            json!({"jobs": [ids[0], ids[0]]}),
            FaultKind::Conflict,
        ),
        (
            "edit",
            json!({"job": running, "code": ""}),
            FaultKind::Conflict,
        ),
        ("edit", json!({"code": ""}), FaultKind::Unsupported),
        ("remove", json!({"job": running}), FaultKind::Conflict),
        ("remove", json!({"job": "nonsense"}), FaultKind::NotFound),
        ("remove", json!({}), FaultKind::Invalid),
        (
            "submit",
            json!({"code": "", "start": true}),
            FaultKind::Conflict,
        ),
        (
            "submit",
            json!({"code": "", "kind": "plan"}),
            FaultKind::Unsupported,
        ),
        (
            "submit",
            json!({"code": "", "name": "a\nb"}),
            FaultKind::Invalid,
        ),
        ("job", json!({"job": "nonsense"}), FaultKind::NotFound),
    ] {
        assert_eq!(
            client.fault(op, args.clone()).await.kind,
            kind,
            "{op} {args}"
        );
    }
    client.ok("exec", json!({"code": "go = 1"})).await;
    client.end(&ids[0]).await;
    assert_eq!(client.texts("info").await, ["three", "changed"]);
    shop.host.stop().await;
}

#[tokio::test]
async fn the_next_begins_after_a_failure_or_is_held_as_configured() {
    for (policy, runs_on) in [("continue", true), ("hold", false)] {
        let shop = Shop::with(json!({ "on_failure": policy })).await;
        let client = shop.login().await;
        let first = client.submit("import time; time.sleep(0.2); 1 / 0").await;
        let second = client.submit("print('second')").await;
        client.end(&first).await;
        if !runs_on {
            let status = client
                .until("a held queue", |status| !status["held"].is_null())
                .await;
            assert_eq!(status["queue"][0]["id"], second);
            client.ok("resume", json!({})).await;
        }
        assert_eq!(client.end(&second).await["state"], "succeeded");
        shop.host.stop().await;
    }
}

#[tokio::test]
async fn what_waits_is_bounded_in_bytes() {
    let shop = Shop::with(json!({"queue_bytes": 2048})).await;
    let client = shop.login().await;
    client.submit("import time\ntime.sleep(600)").await;
    client
        .until("a script that runs", |status| status["run"] == "running")
        .await;
    let first = client.submit(&"#".repeat(1000)).await;
    let second = client.submit(&"#".repeat(1000)).await;
    for (op, args) in [
        ("submit", json!({"code": "#".repeat(100)})),
        ("edit", json!({"job": first, "code": "#".repeat(1100)})),
    ] {
        let fault = client.fault(op, args).await;
        assert_eq!(fault.kind, FaultKind::Busy);
        assert!(fault.message.contains("queue_bytes"), "{fault}");
    }
    client.ok("remove", json!({ "job": second })).await;
    client
        .ok("edit", json!({"job": first, "code": "#".repeat(2048)}))
        .await;
    shop.host.stop().await;
}

#[tokio::test]
async fn limits_are_named_when_they_are_hit() {
    let shop = Shop::with(json!({"queue_most": 1, "script_bytes": 1024, "name_bytes": 16})).await;
    let client = shop.login().await;
    client.submit("import time\ntime.sleep(600)").await;
    client
        .until("a script that runs", |status| status["run"] == "running")
        .await;
    let waiting = client.submit("").await;
    for (args, kind, name) in [
        (json!({"code": ""}), FaultKind::Busy, "queue_most"),
        (
            json!({"code": "#".repeat(1025)}),
            FaultKind::TooLarge,
            "script_bytes",
        ),
        (
            json!({"code": "", "name": "n".repeat(17)}),
            FaultKind::Invalid,
            "name_bytes",
        ),
    ] {
        let fault = client.fault("submit", args).await;
        assert_eq!(fault.kind, kind);
        assert!(fault.message.contains(name), "{fault}");
    }
    let long = "#".repeat(1025);
    for (op, args) in [
        ("edit", json!({"job": waiting, "code": long})),
        ("eval", json!({"code": long})),
        ("exec", json!({"code": long})),
        ("simulate", json!({"code": long})),
    ] {
        let fault = client.fault(op, args).await;
        assert_eq!(fault.kind, FaultKind::TooLarge, "{op}");
    }
    shop.host.stop().await;
}

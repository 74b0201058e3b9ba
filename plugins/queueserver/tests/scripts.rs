//! Python scripts on a real RE Manager.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common {
    pub mod bench;
}

use common::bench::{self, ended, event_where, native, output, plugin, run, script, server, until};
use patchbay_abi::{Kind, head};
use serde_json::{Value, json};

#[tokio::test]
async fn a_script_runs_says_its_lines_and_succeeds_by_the_historys_word() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let code = "import time\nprint('one')\nfor i in range(3):\n    time.sleep(0.1)\nx = 42\nprint('end', x)\n";
    let job = script(&anna, "first", code).await;
    let (told, _) = event_where(&host, "job", |body| body["state"] == "started").await;
    assert_eq!(told.as_deref(), Some(&*job));
    event_where(&host, "state", |body| {
        body["run"] == "running" && body["line"] == 4
    })
    .await;
    let (_, line) = event_where(&host, "log", |body| body["text"] == "end 42").await;
    assert_eq!(
        (&line["job"], &line["level"]),
        (&json!(job), &json!("info"))
    );
    let (_, body) = event_where(&host, "job", |body| body["state"] == "finished").await;
    assert_eq!(body["outcome"], "succeeded");
    let record = ended(&anna, &job).await;
    assert_eq!(
        (&record["state"], &record["user"]),
        (&json!("succeeded"), &json!("anna"))
    );
    assert_eq!(output(&anna, &job).await, ["one", "end 42"]);
    let status = run(&anna, "idle").await;
    assert_eq!(status["last"]["id"], json!(job));
    // The namespace stays.
    let value = anna.call("eval", json!({"code": "x"})).await.unwrap();
    assert_eq!(value["value"], 42);
}

#[tokio::test]
async fn a_failure_is_told_with_the_scripts_lines_and_runs_neither_again_nor_holds_up_the_next() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let code = "runs = globals().get('runs', 0) + 1\ndef f():\n    1/0\nprint('before')\nf()\n";
    let bad = script(&anna, "bad", code).await;
    let next = script(&anna, "next", "print('next')").await;
    assert_eq!(ended(&anna, &bad).await["state"], "failed");
    assert_eq!(ended(&anna, &next).await["state"], "succeeded");
    assert_eq!(
        output(&anna, &bad).await,
        ["before", "ZeroDivisionError: division by zero"]
    );
    let log = anna.call("log", json!({"last": 1000})).await.unwrap();
    let lines = log["messages"].as_array().unwrap();
    let error = lines
        .iter()
        .find(|line| line["level"] == "error" && line["job"] == json!(bad));
    let traceback = error.unwrap()["traceback"].as_str().unwrap();
    assert!(
        traceback.contains("File \"<bad>\", line 5, in <module>\n    f()"),
        "{traceback}"
    );
    assert!(
        traceback.contains("File \"<bad>\", line 3, in f"),
        "{traceback}"
    );
    assert!(!traceback.contains("bluesky"), "{traceback}");
    let runs = anna.call("eval", json!({"code": "runs"})).await.unwrap();
    assert_eq!(runs["value"], 1);
    let queue = native(&anna, "queue_get", json!({})).await;
    assert_eq!(
        queue["items"],
        json!([]),
        "what the server has put back is gone"
    );
}

/// Counts where it can be seen, a tenth of a second a line.
const LOOP: &str =
    "import time\nn = 0\nwhile n < 600:\n    n += 1\n    time.sleep(0.05)\nprint('through')\n";

#[tokio::test]
async fn a_script_is_paused_at_a_line_goes_on_and_is_stopped() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = script(&anna, "loop", LOOP).await;
    let next = script(&anna, "next", "print('never')").await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"].as_i64() > Some(3)
    })
    .await;
    anna.call("pause", json!({"at": "line"})).await.unwrap();
    let status = run(&anna, "paused").await;
    assert_eq!(status["job"]["id"], json!(job));
    assert!(
        [3, 4, 5].contains(&status["job"]["line"].as_i64().unwrap()),
        "{status}"
    );
    let count = async || anna.call("eval", json!({"code": "n"})).await.unwrap()["value"].clone();
    let before = count().await;
    assert_eq!(count().await, before, "it stands");
    let again = anna.call("pause", json!({})).await.unwrap_err();
    assert!(again.message.contains("paused already"), "{again}");
    anna.call("resume", json!({})).await.unwrap();
    run(&anna, "running").await;
    until(&anna, "eval", json!({"code": "n"}), |now| {
        now["value"].as_i64() > before.as_i64()
    })
    .await;
    anna.call("stop", json!({"at": "line"})).await.unwrap();
    let record = ended(&anna, &job).await;
    assert_eq!(record["state"], "failed");
    assert!(
        record["error"]
            .as_str()
            .unwrap()
            .contains("stopped by anna"),
        "{record}"
    );
    let said = output(&anna, &job).await;
    assert_eq!(said, ["the script was stopped by anna"]);
    // As NICOS has it.
    assert_eq!(ended(&anna, &next).await["state"], "removed");
    run(&anna, "idle-after-failure").await;
    let queue = native(&anna, "queue_get", json!({})).await;
    assert_eq!(queue["items"], json!([]));
    // And the next one runs.
    let after = script(&anna, "after", "print('after')").await;
    assert_eq!(ended(&anna, &after).await["state"], "succeeded");
    assert_eq!(output(&anna, &next).await, [""; 0]);
}

#[tokio::test]
async fn a_script_that_calls_the_run_engine_runs_in_its_turn() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let one = script(&anna, "one", "order = ['one']").await;
    let two = script(
        &anna,
        "two",
        "uids = RE(count([det], 2))\norder.append('two')\nprint(len(uids))",
    )
    .await;
    let three = script(&anna, "three", "order.append('three')").await;
    for job in [&one, &two, &three] {
        let record = ended(&anna, job).await;
        assert_eq!(record["state"], "succeeded", "{record}");
    }
    let order = anna.call("eval", json!({"code": "order"})).await.unwrap();
    assert_eq!(order["value"], json!(["one", "two", "three"]));
    assert_eq!(output(&anna, &two).await, ["1"]);
    let bad = script(&anna, "bad", "RE\nRE (count([det]))\n1/0").await;
    let record = ended(&anna, &bad).await;
    assert_eq!(record["state"], "failed");
    let said = output(&anna, &bad).await;
    assert_eq!(said.last().unwrap(), "ZeroDivisionError: division by zero");
}

#[tokio::test]
async fn values_come_in_the_models_form_and_what_is_raised_is_said() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let eval = async |code: &str| anna.call("eval", json!({ "code": code })).await;
    let ready = until(&anna, "eval", json!({"code": "1"}), |_| true).await;
    assert_eq!(ready["value"], 1);
    let forms: [(&str, Value); 6] = [
        ("(1, 'µ\\n', None)", json!([1, "µ\n", null])),
        ("float('nan')", json!({"$float": "nan"})),
        ("2**70", json!({"$int": "1180591620717411303424"})),
        ("b'ab'", json!({"$bytes": "YWI="})),
        ("{1: 2}", json!({"$dict": [[1, 2]]})),
        ("__import__('numpy').arange(3)", json!([0, 1, 2])),
    ];
    for (code, value) in forms {
        assert_eq!(eval(code).await.unwrap()["value"], value, "{code}");
    }
    let fault = eval("nope").await.unwrap_err();
    assert!(fault.message.contains("NameError"), "{fault}");
    anna.call("exec", json!({"code": "y = 7"})).await.unwrap();
    assert_eq!(eval("y").await.unwrap()["value"], 7);
    let fault = anna.call("exec", json!({"code": "1/0"})).await.unwrap_err();
    assert!(fault.message.contains("ZeroDivisionError"), "{fault}");
    let fault = anna.call("trace", json!({})).await.unwrap_err();
    assert!(fault.message.contains("no script is running"), "{fault}");
    let job = script(&anna, "loop", LOOP).await;
    bench::state(&anna, &job, "running").await;
    let trace = until(&anna, "trace", json!({}), |_| true).await;
    assert!(
        trace.as_str().unwrap().contains("File \"<loop>\", line"),
        "{trace}"
    );
    anna.call("emergency", json!({})).await.unwrap();
    assert_eq!(ended(&anna, &job).await["state"], "failed");
}

#[tokio::test]
async fn the_end_of_one_script_does_not_cut_a_line_of_the_next() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let code = "import time\nprint('one', flush=True, end=' ')\ntime.sleep(0.2)\nprint('line')\n";
    let mut jobs = Vec::new();
    for _ in 0..10 {
        jobs.push(script(&anna, "in pieces", code).await);
    }
    for job in jobs {
        ended(&anna, &job).await;
        assert_eq!(output(&anna, &job).await, ["one line"]);
    }
}

#[tokio::test]
async fn what_a_script_prints_is_told_before_its_end_and_as_its_own() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let code = "for i in range(3000):\n    print('line', i)\nprint('no newline', end='')\n";
    let loud = script(&anna, "loud", code).await;
    let next = script(&anna, "next", "print('next')").await;
    let mut lines = 0;
    loop {
        let told = host.next_of(&[Kind::EVENT]).await;
        let head: head::Event = told.read_head().unwrap();
        let body: Value = serde_json::from_slice(&told.body).unwrap();
        match head.kind.as_str() {
            "log" if head.job.as_deref() == Some(&*loud) => lines += 1,
            "job" if body["state"] == "finished" => break,
            _ => {}
        }
    }
    assert_eq!(lines, 3001);
    ended(&anna, &next).await;
    assert_eq!(output(&anna, &next).await, ["next"]);
}

/// The same as a loss between the environment and us, but at a time that is known.
const LOSSY: &str = "output = _patchbay.output
print('before')
output.flush()
raw, output.raw = output.raw, len
for i in range(5):
    print('lost', i)
output.flush()
output.raw = raw
print('after')
";

#[tokio::test]
async fn lines_that_the_servers_console_loses_are_counted_and_said_to_be_missing() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = script(&anna, "lossy", LOSSY).await;
    assert_eq!(ended(&anna, &job).await["state"], "succeeded");
    let mut said = output(&anna, &job).await;
    let missing = said
        .iter()
        .position(|line| line.starts_with("missing here: 5 lines"));
    said.remove(missing.unwrap_or_else(|| panic!("nothing is missing of {said:?}")));
    assert_eq!(said, ["before", "after"]);
    // And the next script's are all there.
    let next = script(&anna, "next", "print('next')").await;
    ended(&anna, &next).await;
    assert_eq!(output(&anna, &next).await, ["next"]);
}

#[tokio::test]
async fn a_script_that_is_quiet_for_a_while_behind_another_is_heard_to_its_end() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let code = "import time\nprint('one')\ntime.sleep(2.5)\nprint('two')\n";
    let jobs = [
        script(&anna, "first", code).await,
        script(&anna, "second", code).await,
    ];
    for job in &jobs {
        assert_eq!(ended(&anna, job).await["state"], "succeeded");
        assert_eq!(output(&anna, job).await, ["one", "two"]);
    }
}

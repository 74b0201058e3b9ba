//! What is evaluated beside a script, and dry runs.

mod common;

use common::Shop;
use patchbay_sdk::FaultKind;
use serde_json::{Value, json};

#[tokio::test]
async fn values_have_the_models_form() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    for (code, value) in [
        ("6 * 7", json!(42)),
        ("(1, [2.5, None], {True})", json!([1, [2.5, null], [true]])),
        ("{'a': 'é\\n'}", json!({"a": "é\n"})),
        ("{1: 2, '$x': 3}", json!({"$dict": [[1, 2], ["$x", 3]]})),
        ("b'\\x00\\xff'", json!({"$bytes": "AP8="})),
        ("float('nan')", json!({"$float": "nan"})),
        ("float('-inf')", json!({"$float": "-inf"})),
        ("2 ** 64 - 1", json!(18446744073709551615u64)),
        ("2 ** 64", json!({"$int": "18446744073709551616"})),
        ("-(2 ** 63)", json!(i64::MIN)),
        ("'\\ud800'", json!("?")),
        (
            "__import__('types').SimpleNamespace(a=1)",
            json!({"$class": "types.SimpleNamespace", "a": 1}),
        ),
        (
            "object",
            json!({"$class": "builtins.type", "$text": "<class 'object'>"}),
        ),
        ("  1", json!(1)),
    ] {
        assert_eq!(client.eval(code).await, value, "{code}");
    }
    for code in [
        "nope",
        "1 +",
        "[0] * 10**6",
        "10 ** 10000",
        "(lambda l: l.append(l) or l)([])",
        "exec('x = 1') or y",
    ] {
        let fault = client.fault("eval", json!({ "code": code })).await;
        assert_eq!(fault.kind, FaultKind::Invalid, "{code}: {fault}");
    }
    let fault = client.fault("eval", json!({"code": "nope"})).await;
    assert_eq!(fault.message, "NameError: name 'nope' is not defined");
    shop.host.stop().await;
}

#[tokio::test]
async fn code_beside_a_script_shares_its_names_and_is_not_its_output() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let job = client
        .submit("import time\nflag = 0\nwhile not flag:\n    time.sleep(0.01)\nprint('on')\n")
        .await;
    client
        .until("its loop", |status| {
            status["job"]["line"].as_u64() > Some(2)
        })
        .await;
    let trace = client.ok("trace", json!({})).await;
    assert!(trace.as_str().unwrap().contains("in <module>"), "{trace}");
    client
        .ok("exec", json!({"code": "print('beside')\nflag = 1"}))
        .await;
    let (_, lines) = shop.follow(&job).await;
    assert_eq!(lines, [("info".to_owned(), "on".to_owned())]);
    assert!(client.texts("info").await.contains(&"beside".into()));
    assert_eq!(
        client.fault("exec", json!({"code": "1/0"})).await.message,
        "ZeroDivisionError: division by zero"
    );
    let fault = client.fault("trace", json!({})).await;
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    shop.host.stop().await;
}

#[tokio::test]
async fn what_takes_too_long_is_given_up_and_there_are_not_too_many() {
    let shop = Shop::with(json!({"eval_seconds": 0.5, "eval_most": 2})).await;
    let client = shop.login().await;
    client
        .ok("exec", json!({"code": "def spin():\n    while True: pass"}))
        .await;
    let fault = client.fault("eval", json!({"code": "spin()"})).await;
    assert!(fault.message.contains("eval_seconds"), "{fault}");
    let sleep = || client.call("eval", json!({"code": "__import__('time').sleep(2)"}));
    let (first, second, third) = tokio::join!(sleep(), sleep(), sleep());
    let busy = [first, second, third].into_iter().filter(|answer| {
        answer
            .as_ref()
            .is_err_and(|fault| fault.kind == FaultKind::Busy)
    });
    assert_eq!(busy.count(), 1);
    shop.host.stop().await;
}

#[tokio::test]
async fn words_are_completed_in_the_running_namespace() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    client
        .ok("exec", json!({"code": "import math\nmy_value = 1"}))
        .await;
    let complete = |word: &'static str| client.ok("complete", json!({"line": word, "word": word}));
    assert_eq!(complete("my_v").await, json!(["my_value"]));
    assert_eq!(complete("math.isf").await, json!(["math.isfinite"]));
    assert_eq!(complete("f(math.isf").await, json!(["math.isfinite"]));
    assert_eq!(complete("nothing_like_it").await, json!([]));
    assert_eq!(complete("").await, json!([]));
    shop.host.stop().await;
}

async fn simulated(shop: &Shop, id: &str) -> (Vec<String>, Value) {
    let mut lines = Vec::new();
    loop {
        let (_, body) = shop.host.next_event("simulation").await;
        assert_eq!(body["simulation"], id);
        match body["line"]["text"].as_str() {
            Some(text) => lines.push(text.to_owned()),
            None => return (lines, body),
        }
    }
}

#[tokio::test]
async fn a_dry_run_lists_calls_and_runs_nothing() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code = "open('ran', 'w')\nfor i in range(3):\n    count(i, t=2)\n";
    client
        .ok("simulate", json!({"code": code, "simulation": "s1"}))
        .await;
    let (lines, end) = simulated(&shop, "s1").await;
    assert_eq!(
        lines,
        [
            "line 1: open('ran', 'w')",
            "line 2: range(3)",
            "line 3: count(i, t=2)"
        ]
    );
    assert_eq!(
        (&end["state"], &end["calls"][2]["line"]),
        (&"finished".into(), &3.into())
    );
    assert!(!shop.folder.path().join("python/work/ran").exists());
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let chain = format!("x{}", ".a()".repeat(100_000));
    for code in ["def f(:", "x = 'a", &deep, &chain, "\0"] {
        let id = client.ok("simulate", json!({ "code": code })).await["simulation"].clone();
        let (lines, end) = simulated(&shop, id.as_str().unwrap()).await;
        assert_eq!(end["state"], "failed", "{}", &code[..code.len().min(20)]);
        assert_eq!(lines.len(), 1);
    }
    // The worker has nothing to do with it.
    assert_eq!(client.eval("1").await, 1);
    shop.host.stop().await;
}

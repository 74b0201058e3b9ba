//! Scripts that break what they can: the worker at most, never the backend, nor the script after them.

mod common;

use std::time::{Duration, Instant};

use common::{Client, PATIENCE, Shop};
use serde_json::json;

/// The script fails with this in its error, and the one after it runs.
async fn fails(client: &Client<'_>, code: &str, with: &str) {
    let job = client.submit(code).await;
    let record = client.end(&job).await;
    assert_eq!(record["state"], "failed", "{code}: {record}");
    let error = record["error"].as_str().unwrap_or_default();
    assert!(error.contains(with), "{code}: {error}");
    goes_on(client, code).await;
}

async fn goes_on(client: &Client<'_>, after: &str) {
    let job = client.submit("print('on')").await;
    assert_eq!(client.end(&job).await["state"], "succeeded", "{after}");
}

#[tokio::test]
async fn a_worker_that_dies_fails_its_script_with_the_cause_and_another_one_starts() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    client.ok("exec", json!({"code": "kept = 1"})).await;
    fails(&client, "import os; os._exit(7)", "status 7").await;
    let warnings = client.texts("warning").await;
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("names that scripts have left behind are lost")),
        "{warnings:?}"
    );
    assert!(
        client
            .fault("eval", json!({"code": "kept"}))
            .await
            .message
            .contains("NameError")
    );
    fails(
        &client,
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "signal 9",
    )
    .await;
    fails(&client, "import ctypes; ctypes.string_at(0)", "signal 11").await;
    fails(&client, "import os; os.abort()", "signal 6").await;
    fails(
        &client,
        "import os; os.closerange(3, 1000)",
        "Python process is gone",
    )
    .await;
    shop.host.stop().await;
}

#[tokio::test]
async fn a_script_that_meddles_with_the_connection_ends_its_own_worker() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let find = "
import os, stat
links = [int(fd) for fd in os.listdir('/proc/self/fd') if int(fd) > 2]
def link():
    for fd in links:
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd
        except OSError:
            pass
";
    let text = "what is no message";
    fails(
        &client,
        &format!("{find}os.write(link(), b'garbage\\n')\nwhile True: pass"),
        text,
    )
    .await;
    fails(
        &client,
        &format!("{find}os.write(link(), b'{{}}\\n')\nwhile True: pass"),
        text,
    )
    .await;
    fails(
        &client,
        &format!("{find}os.write(link(), b'\\xff\\n')\nwhile True: pass"),
        "no text",
    )
    .await;
    let endless = format!("{find}while True: os.write(link(), b'x' * 65536)");
    // The worker's own messages may come in between, and end the line.
    fails(&client, &endless, "because the script wrote").await;
    let forged = format!(
        "{find}os.write(link(), b'{{\"say\":\"log\",\"job\":\"another\",\"level\":\"boo\",\"logger\":\"x\",\"text\":\"forged\"}}\\n')\n1 / 0"
    );
    fails(&client, &forged, "ZeroDivisionError").await;
    let log = client.ok("log", json!({})).await;
    let messages = log["messages"].as_array().cloned().unwrap_or_default();
    let told = messages.iter().find(|message| message["text"] == "forged");
    assert!(
        told.is_some_and(|told| told.get("job").is_none() && told["level"] == "info"),
        "{log}"
    );
    let again = format!(
        "{find}for i in range(1000): os.write(link(), b'{{\"say\":\"waiting\",\"pid\":\"1\"}}\\n')\n1 / 0"
    );
    fails(&client, &again, "ZeroDivisionError").await;
    let warnings = client.texts("warning").await;
    assert!(
        !warnings.iter().any(|text| text.contains("process 1)")),
        "{warnings:?}"
    );
    // Whose job it speaks of is checked.
    let forged = format!(
        "{find}os.write(link(), b'{{\"say\":\"done\",\"job\":\"another\",\"outcome\":\"succeeded\"}}\\n')\n1 / 0"
    );
    fails(&client, &forged, "ZeroDivisionError").await;
    shop.host.stop().await;
}

#[tokio::test]
async fn a_script_that_replaces_things_finds_them_put_back_afterwards() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    for code in [
        "import sys, io; sys.stdout = io.StringIO(); sys.stderr = None",
        "import sys; sys.stdout.close()",
        "import builtins; builtins.input = None; builtins.print = builtins.print",
        "import sys; sys.setrecursionlimit(60)",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGUSR1, signal.SIG_DFL)",
        "import os; os.close(0); os.close(1); os.close(2)",
        "import sys; sys.settrace(lambda *a: None)",
        "import logging; logging.shutdown(); logging.disable()",
        "import os; os.chdir('/')",
        "globals().clear()",
        "import sys; del sys.modules['__main__']",
    ] {
        let job = client.submit(code).await;
        client.end(&job).await;
        let ask = client.submit("print('said', input('?'))").await;
        let (_, prompt) = shop.host.next_event("prompt").await;
        client
            .ok(
                "answer",
                json!({"prompt": prompt["prompt"], "value": "yes"}),
            )
            .await;
        let (end, lines) = shop.follow(&ask).await;
        assert_eq!(end["outcome"], "succeeded", "{code}: {lines:?}");
        assert_eq!(lines, [("info".into(), "said yes".into())], "{code}");
        let stopped = client
            .submit("import time\nwhile True: time.sleep(0.01)")
            .await;
        shop.job_event(&stopped, "started").await;
        client.ok("pause", json!({})).await;
        shop.job_event(&stopped, "paused").await;
        client.ok("stop", json!({"at": "line"})).await;
        assert_eq!(
            client.end(&stopped).await["error"],
            "stopped by anna",
            "{code}"
        );
    }
    shop.host.stop().await;
}

#[tokio::test]
async fn a_script_that_untraces_itself_is_held_all_the_same() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code =
        "import sys, time\nwhile True:\n    sys.settrace(None)\n    time.sleep(0.01)\n    x = 1\n";
    let job = client.submit(code).await;
    client
        .until("a line", |status| status["job"]["line"].is_u64())
        .await;
    client.ok("pause", json!({})).await;
    shop.job_event(&job, "paused").await;
    client.ok("stop", json!({})).await;
    client.end(&job).await;
    shop.host.stop().await;
}

#[tokio::test]
async fn forks_do_not_speak_for_the_script() {
    let shop = Shop::start().await;
    let client = shop.login().await;
    let code = "
import os
child = os.fork()
if child == 0:
    print('from the child')
    try:
        input()
    except EOFError as error:
        print('refused', flush=True)
else:
    os.waitpid(child, 0)
    print('from the parent')
";
    let job = client.submit(code).await;
    let (end, lines) = shop.follow(&job).await;
    assert_eq!(end["outcome"], "succeeded", "{lines:?}");
    // Newer Pythons warn of forks on standard error.
    let printed = lines.into_iter().filter(|(level, _)| level == "info");
    let mut texts: Vec<_> = printed.map(|(_, text)| text).collect();
    texts.sort();
    assert_eq!(texts, ["from the child", "from the parent", "refused"]);
    let code = "
import multiprocessing
with multiprocessing.Pool(2) as pool:
    print(sum(pool.map(abs, range(-10, 0))))
";
    let job = client.submit(code).await;
    let (end, lines) = shop.follow(&job).await;
    assert_eq!(
        (&end["outcome"], &lines[0].1),
        (&"succeeded".into(), &"55".to_owned())
    );
    // A child that stays does not keep the gateway from ending.
    let job = client
        .submit("import os, time\nif os.fork() == 0: time.sleep(600)")
        .await;
    assert_eq!(client.end(&job).await["state"], "succeeded");
    let begun = Instant::now();
    shop.host.stop().await;
    assert!(begun.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn memory_is_limited_and_the_worker_survives() {
    let shop = Shop::with(json!({"memory_mib": 512})).await;
    let client = shop.login().await;
    client.ok("exec", json!({"code": "kept = 1"})).await;
    fails(&client, "x = bytearray(10 ** 9)", "MemoryError").await;
    fails(
        &client,
        "x = []\nwhile True: x.append(' ' * 10 ** 6)",
        "MemoryError",
    )
    .await;
    shop.host.stop().await;
}

#[tokio::test]
async fn output_is_limited_by_line_and_by_script() {
    let shop = Shop::with(json!({"line_bytes": 1024, "output_bytes": 100_000})).await;
    let client = shop.login().await;
    let job = client
        .submit("print('x' * 100_000_000)\nprint('after')")
        .await;
    let (end, lines) = shop.follow(&job).await;
    assert_eq!(end["outcome"], "succeeded");
    let cut = format!("{}… (99998976 more characters were cut)", "x".repeat(1024));
    assert_eq!(lines[0].1, cut);
    assert_eq!(lines[1].1, "after");
    for code in [
        "for i in range(200_000): print('line', i)",
        "import os\nfor i in range(100_000): os.write(1, b'line\\n')",
        "import sys\nfor i in range(100_000): sys.stderr.write('line\\n')",
    ] {
        let job = client.submit(code).await;
        let (end, lines) = shop.follow(&job).await;
        assert_eq!(end["outcome"], "succeeded", "{code}");
        let bytes: usize = lines.iter().map(|(_, text)| text.len()).sum();
        assert!(lines.len() > 500 && bytes <= 100_000, "{code}: {bytes}");
        let (level, text) = lines.last().unwrap();
        assert!(
            level == "warning" && text.contains("printed too much"),
            "{code}: {text}"
        );
    }
    goes_on(&client, "much output").await;
    shop.host.stop().await;
}

#[tokio::test]
async fn what_goes_on_printing_after_its_script_is_limited_too() {
    let shop = Shop::with(json!({"output_bytes": 20_000})).await;
    let client = shop.login().await;
    let code = "
import threading, time
def chatter():
    while True:
        print('chatter')
        time.sleep(0.0005)
threading.Thread(target=chatter, daemon=True).start()
";
    let job = client.submit(code).await;
    client.end(&job).await;
    let begun = Instant::now();
    loop {
        let warnings = client.texts("warning").await;
        let is_said =
            |text: &String| text.contains("what runs beside scripts has printed too much");
        if warnings.iter().any(is_said) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shop.host.stop().await;
}

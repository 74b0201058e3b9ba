//! What clients of the socket frontend get, with a real NICOS daemon: the program of its page among them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Lines, Local};
use serde_json::{Value, json};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// The instrument, as clients of its socket see it.
struct Site(Local);

impl Site {
    fn start() -> Site {
        Site(Local::start())
    }

    fn port(&self) -> &str {
        let address = self.0.address().rsplit_once(':');
        address.unwrap().1
    }

    fn login(&self) -> Lines {
        Lines::login(self.0.address())
    }

    /// Runs the program of the page.
    fn python(&self, password: &str, script: &str) -> Output {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script.py");
        std::fs::write(&file, script).unwrap();
        let program = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../plugins/socket/examples/client.py"
        );
        Command::new("python3")
            .args([program, "127.0.0.1", self.port(), "admin"])
            .arg(file)
            .env("PATCHBAY_PASSWORD", password)
            .output()
            .unwrap()
    }
}

/// One site for all tests of this file, one test at a time: they share NICOS's one queue.
fn site() -> MutexGuard<'static, Site> {
    static SITE: LazyLock<Mutex<Site>> = LazyLock::new(|| Mutex::new(Site::start()));
    SITE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn texts(events: &[Value]) -> Vec<&str> {
    let logs = events.iter().filter(|event| event["kind"] == "log");
    logs.filter_map(|event| event["body"]["text"].as_str().map(str::trim_end))
        .collect()
}

#[test]
fn the_program_of_the_page_runs_a_script_and_shows_its_output() {
    let site = site();
    let good = site.python("admin", "print('grüße 😀')\nx = 41\nprint(x + 1)\n");
    let shown = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success(), "{shown} {:?}", good.stderr);
    assert_eq!(shown.trim_end(), "grüße 😀\n42");

    let bad = site.python("admin", "raise ValueError('on purpose')\n");
    assert_eq!(bad.status.code(), Some(1));
    let shown = String::from_utf8(bad.stdout).unwrap();
    assert!(shown.contains("on purpose"), "{shown}");

    let stranger = site.python("wrong", "print(1)\n");
    assert_eq!(stranger.status.code(), Some(1));
    assert!(stranger.stdout.is_empty());
    assert!(!stranger.stderr.is_empty(), "it says why");
}

#[test]
fn a_script_is_queued_in_the_words_of_nicos_and_its_output_comes_as_events() {
    let site = site();
    let mut client = site.login();
    client.ok(json!({"op": "subscribe"}));
    let code = "for i in range(3):\n    print('step %d' % i)\n    sleep(0.05)\n";
    let queued = client.ask(&json!({"command": "queue", "name": "steps", "code": code}));
    assert_eq!(queued["success"], true, "{queued}");
    let events = client.until_finished(queued["payload"].as_str().unwrap());
    let steps = texts(&events)
        .into_iter()
        .filter(|text| text.starts_with("step "));
    assert!(steps.eq(["step 0", "step 1", "step 2"]), "{events:?}");
    assert_eq!(events.last().unwrap()["body"]["outcome"], "succeeded");
    let status = client.ask(&json!({"command": "getstatus"}));
    assert!(status["payload"]["status"].is_array(), "{status}");
}

#[test]
fn who_was_away_gets_all_that_the_script_said_meanwhile() {
    let site = site();
    let mut client = site.login();
    let since = client.ok(json!({"op": "subscribe"}));
    let code = "for i in range(200):\n    print('line %d' % i)\n";
    let job = client.ok(json!({"op": "submit", "args": {"code": code}}));
    let job = job["job"].as_str().unwrap().to_owned();
    drop(client);

    let mut witness = site.login();
    witness.ok(json!({"op": "subscribe", "args": {"since": since}}));
    let all = witness.until_finished(&job);
    let mut late = site.login();
    late.ok(json!({"op": "subscribe", "args": {"since": since}}));
    assert_eq!(late.until_finished(&job), all);
    let lines: Vec<_> = texts(&all)
        .into_iter()
        .filter(|text| text.starts_with("line "))
        .collect();
    let right: Vec<_> = (0..200).map(|i| format!("line {i}")).collect();
    assert_eq!(lines, right);
}

#[test]
fn the_same_key_again_is_the_same_job_over_another_connection_too() {
    let site = site();
    let submit = |code: &str| json!({"op": "submit", "args": {"code": code}, "key": "once"});
    let mut client = site.login();
    client.ok(json!({"op": "subscribe"}));
    let job = client.ok(submit("print('once')"));
    client.until_finished(job["job"].as_str().unwrap());
    let mut again = site.login();
    assert_eq!(again.ok(submit("print('once')")), job);
    let other = again.ask(&submit("print('twice')"));
    assert_eq!(other["error"]["kind"], "conflict", "{other}");
}

#[test]
fn a_gateway_that_is_stopped_says_goodbye_and_ends_in_time() {
    let mut site = Site::start();
    let mut client = site.login();
    site.0.gateway.stop();
    assert_eq!(client.read()["bye"]["kind"], "shutting-down");
    assert_eq!(
        site.0.gateway.exit().and_then(|status| status.code()),
        Some(0)
    );
}

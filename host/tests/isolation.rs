//! `isolation = "process"`: which code runs where, of which build, and how that is changed while everything runs. What
//! such an instance can do wrong stands in the fault matrix.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod site;

use patchbay_testkit::build;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use site::{Client, Gateway};
use std::process::{Command, Stdio};

const CONFIG: &str = r#"
[gateway]
plugin_path = ["."]
restart_backoff_min_ms = 10
restart_backoff_max_ms = 20
[[backend]]
id = "one"
plugin = "rogue"
isolation = "@ONE@"
config = { mark = "a-secret-word" }
[[backend]]
id = "two"
plugin = "rogue"
isolation = "@TWO@"
[[frontend]]
id = "local"
plugin = "socket"
backend = "one"
isolation = "process"
[frontend.config]
unix = "@SOCKET@"
"#;

fn config(one: &str, two: &str) -> String {
    CONFIG.replace("@ONE@", one).replace("@TWO@", two)
}

fn gateway(one: &str, two: &str) -> Gateway {
    Gateway::start(&["rogue", "socket"], &config(one, two))
}

fn instance(gateway: &Gateway, id: &str) -> Value {
    // Also where not all is well, which the exit status says.
    let status = gateway.output(&["status", "--json"]).stdout;
    let status: Value = serde_json::from_slice(&status).unwrap();
    let mut instances = status["status"]["instances"].as_array().unwrap().iter();
    instances.find(|one| one["id"] == id).unwrap().clone()
}

/// The number of an instance's own process.
fn process(gateway: &Gateway, id: &str) -> Option<u64> {
    instance(gateway, id)["process"].as_u64()
}

fn kill(process: u64) {
    let pid = Pid::from_raw(process.try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

/// Whether a process has mapped the file of that plugin.
fn has_mapped(process: u64, plugin: &str) -> bool {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    maps.contains(&build::file_name(plugin))
}

fn build_of(client: &mut Client) -> Value {
    let answer = client.ask(&json!({"op": "status", "args": {"fresh": true}}));
    answer["ok"]["build"].clone()
}

/// It runs again, in another process.
fn runs_again(gateway: &Gateway, id: &str, failures: u64) {
    gateway.wait("it runs again", |gateway| {
        let one = instance(gateway, id);
        (one["phase"] == "running" && one["failures"] == failures).then_some(())
    });
}

#[test]
fn none_of_its_code_runs_in_the_gateway_and_nothing_of_its_settings_is_seen_from_outside() {
    let gateway = gateway("process", "process");
    let host = u64::from(gateway.process.id());
    let one = process(&gateway, "one").unwrap();
    for plugin in ["rogue", "socket"] {
        assert!(!has_mapped(host, plugin), "{plugin}");
    }
    assert!(has_mapped(one, "rogue") && !has_mapped(one, "socket"));
    let told = |what: &str| {
        let bytes = std::fs::read(format!("/proc/{one}/{what}")).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let words = told("cmdline");
    assert!(words.contains("plugin-host") && words.contains("one"));
    for told in [words, told("environ")] {
        assert!(!told.contains("a-secret-word"), "{told}");
    }
    let page = gateway.output(&["status"]).stdout;
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains(&format!("process {one}")), "{page}");
}

#[test]
fn a_reload_moves_an_instance_into_a_process_of_its_own_and_back() {
    let gateway = gateway("none", "process");
    let mut client = Client::login_as(&gateway.socket(), "user");
    assert_eq!(process(&gateway, "one"), None);
    for (one, isolated) in [("process", true), ("none", false)] {
        gateway.configure(&config(one, "process"));
        let said = gateway.say(&["reload"]).unwrap();
        assert!(
            said.contains("`one`: started anew, its isolation differs"),
            "{said}"
        );
        assert_eq!(build_of(&mut client), "build 0000");
        assert_eq!(process(&gateway, "one").is_some(), isolated);
        assert_eq!(instance(&gateway, "one")["failures"], 0);
    }
    // A limit that its process was started with.
    let before = process(&gateway, "two");
    let other = config("none", "process").replace("[gateway]", "[gateway]\nmax_body_bytes = 50000");
    gateway.configure(&other);
    gateway.say(&["reload"]).unwrap();
    gateway.wait("another process has taken over", |gateway| {
        let now = process(gateway, "two");
        (now.is_some() && now != before).then_some(())
    });
}

#[test]
fn a_restart_runs_the_build_that_was_loaded_until_the_newer_one_is_wanted() {
    let gateway = gateway("process", "process");
    let mut client = Client::login_as(&gateway.socket(), "user");
    gateway.install_rogue(1);
    kill(process(&gateway, "one").unwrap());
    runs_again(&gateway, "one", 1);
    assert!(gateway.log().contains("signal 9 (SIGKILL"));
    assert_eq!(build_of(&mut client), "build 0000");

    let said = gateway.say(&["plugin", "reload", "rogue"]).unwrap();
    assert!(said.contains("backend `one`: the newer build"), "{said}");
    assert_eq!(build_of(&mut client), "build 0001");
    kill(process(&gateway, "one").unwrap());
    runs_again(&gateway, "one", 2);
    assert_eq!(build_of(&mut client), "build 0001");
    // Nothing of either has come into the gateway.
    assert!(!has_mapped(u64::from(gateway.process.id()), "rogue"));

    // Not at the same time as a newer build.
    gateway.install_rogue(2);
    gateway.configure(&config("none", "process"));
    let why = gateway.say(&["reload"]).unwrap_err();
    assert!(why.contains("plugin reload"), "{why}");
    gateway.say(&["plugin", "reload", "rogue"]).unwrap();
    gateway.say(&["reload"]).unwrap();
    assert_eq!(process(&gateway, "one"), None);
    assert_eq!(build_of(&mut client), "build 0002");
}

#[test]
fn a_file_that_was_overwritten_in_place_is_not_run() {
    let gateway = gateway("process", "process");
    let file = gateway.folder.path().join(build::file_name("rogue"));
    // Its end, which no process has mapped.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.push(0);
    std::fs::write(&file, &bytes).unwrap();
    kill(process(&gateway, "two").unwrap());
    gateway.wait("it is refused", |gateway| {
        let two = instance(gateway, "two");
        let said = two["reason"].as_str().unwrap().to_owned();
        said.contains("overwritten in place").then_some(())
    });
}

#[test]
fn whoever_says_plugin_host_by_hand_is_told_whom_it_is_for() {
    let digest = "0".repeat(64);
    let said = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(["plugin-host", "--instance", "x", "--digest", &digest])
        .args(["--body-bytes", "1000", "nothing.so"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("for the gateway itself"), "{said}");
}

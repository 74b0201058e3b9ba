//! `patchbay status --watch` in a real terminal, as somebody sees it who was woken up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{PATIENCE, gateway};
use patchbay_servers::{Terminal, silent};
use patchbay_testkit::build;
use std::time::{Duration, Instant};

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
hang_s = 3
max_abandoned = 1
[[backend]]
id = "rogue"
plugin = "rogue"
[[frontend]]
id = "local"
plugin = "socket"
backend = "rogue"
[frontend.config]
unix = "@DIR@/local.sock"
"#;

fn wait_for(terminal: &Terminal, text: &str) -> String {
    let begun = Instant::now();
    loop {
        let screen = terminal.screen().unwrap();
        if screen.contains(text) {
            return screen;
        }
        assert!(begun.elapsed() < PATIENCE, "`{text}` never came:\n{screen}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn who_watches_sees_what_hangs_what_to_type_and_that_it_helped() {
    let gateway = gateway(CONFIG, &["rogue", "socket"]);
    let path = format!("{}:/usr/bin:/bin", build::folder().display());
    let folder = gateway.dir().display().to_string();
    let socket = format!("unix:{folder}/local.sock");
    let variables = [("PATH", path.as_str()), ("PATCHBAY_CONNECT", &socket)];
    let variables = [
        &variables[..],
        &[("HOME", &folder), ("PATCHBAY_USER", "admin")],
    ]
    .concat();
    let terminal = Terminal::start(&variables, &silent).unwrap();
    terminal
        .type_line(&format!(
            "cd {folder}; clear; patchbay status --watch patchbay.toml"
        ))
        .unwrap();
    let screen = wait_for(&terminal, "\nall is well");
    assert_eq!(screen.matches("version").count(), 1, "{screen}");

    std::fs::write(gateway.dir().join("password"), "s").unwrap();
    let hang = "patchbay client --password-file password call eval '{\"code\": \"block 3600000\"}'";
    let elsewhere = Terminal::start(&variables, &silent).unwrap();
    elsewhere
        .type_line(&format!("cd {folder}; {hang}"))
        .unwrap();
    let screen = wait_for(&terminal, "patchbay restart rogue patchbay.toml");
    for part in [
        "quarantined",
        "its thread has been blocked for 3 s",
        "a thread of rogue hangs",
        "not all is well:",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    // The page stands where the one before stood, and nothing of that is left.
    assert_eq!(screen.matches("version").count(), 1, "{screen}");

    elsewhere
        .type_line("clear; patchbay restart rogue patchbay.toml")
        .unwrap();
    wait_for(&elsewhere, "rogue was started anew");
    let screen = wait_for(&terminal, "rogue          rogue   running");
    assert!(!screen.contains("patchbay restart"), "{screen}");
    terminal.key("C-c").unwrap();
    terminal.type_line("echo status=$?").unwrap();
    wait_for(&terminal, "status=130\n");
    terminal
        .type_line("clear; patchbay status patchbay.toml; echo status=$?")
        .unwrap();
    wait_for(&terminal, "status=5\n");
}

//! `cargo xtask demo --once`, as a newcomer runs it, and what it says when something dies meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::demo::{Demo, alone, assert_gone};
use std::process::Command;

#[test]
fn it_shows_the_scripts_own_output_and_ends_well_because_nicos_says_so() {
    let _alone = alone();
    let mut demo = Demo::start(&["--once"]);
    demo.wait_for("the script succeeded");
    assert_eq!(demo.end().code(), Some(0), "{}", demo.said());
    for text in [
        "| Hello from a NICOS script",
        "| step 5 of 5",
        "finished: succeeded",
    ] {
        assert!(demo.said().contains(text), "{text} in {}", demo.said());
    }
    assert_gone(&demo.processes());
}

#[test]
fn whichever_process_dies_is_named_and_nothing_is_left_behind() {
    let _alone = alone();
    for victim in ["NICOS", "ActiveMQ", "gateway"] {
        let mut demo = Demo::start(&["--once"]);
        demo.wait_for("| step 1 of 5");
        let processes = demo.processes();
        let (_, id) = processes.iter().find(|(name, _)| name == victim).unwrap();
        assert!(
            Command::new("kill")
                .args(["-9", id])
                .status()
                .unwrap()
                .success()
        );
        assert_ne!(demo.end().code(), Some(0), "{}", demo.said());
        let said = demo.said();
        let last = said
            .lines()
            .rev()
            .find(|line| line.starts_with("error"))
            .unwrap_or_default();
        assert!(
            last.contains(victim),
            "{victim} is named at the end of {said}"
        );
        assert_gone(&processes);
    }
}

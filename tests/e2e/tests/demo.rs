//! `cargo xtask demo --once`, as a newcomer runs it, and what it says when something dies meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::wait_until;
use patchbay_testkit::build;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A demo that is running: what it has said so far, line by line.
struct Demo {
    process: std::process::Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Demo {
    fn start() -> Demo {
        build::package("xtask");
        let mut process = Command::new(build::folder().join("xtask"))
            .args(["demo", "--once"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (out, err) = (
            process.stdout.take().unwrap(),
            process.stderr.take().unwrap(),
        );
        listen(BufReader::new(out), said.clone());
        listen(BufReader::new(err), said.clone());
        Demo { process, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Waits for as long as the demo runs: the first one installs and builds.
    fn wait_for(&mut self, text: &str) {
        while !self.said().contains(text) {
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "it never said `{text}`: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The process ids that it named, by the word before them.
    fn processes(&self) -> Vec<(String, String)> {
        let said = self.said();
        let lines = said.lines().filter_map(|line| {
            let id = line.split_once("(process ")?.1.strip_suffix(')')?;
            Some((line.split_whitespace().next()?.to_owned(), id.to_owned()))
        });
        lines.collect()
    }

    fn end(&mut self) -> ExitStatus {
        wait_until("the end of the demo", || self.process.try_wait().unwrap())
    }
}

fn listen(lines: impl BufRead + Send + 'static, said: Arc<Mutex<Vec<String>>>) {
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            said.lock().unwrap().push(line);
        }
    });
}

/// One demo at a time is what this machine can run.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn assert_gone(processes: &[(String, String)]) {
    assert!(!processes.is_empty(), "the demo names its processes");
    for (name, id) in processes {
        wait_until(&format!("the end of {name}"), || {
            (!Path::new("/proc").join(id).exists()).then_some(())
        });
    }
}

#[test]
fn it_shows_the_scripts_own_output_and_ends_well_because_nicos_says_so() {
    let _alone = alone();
    let mut demo = Demo::start();
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
        let mut demo = Demo::start();
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

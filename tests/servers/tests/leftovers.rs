//! No server outlives the process that started it, however that ends.
// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::is_running;
use patchbay_servers::{Nicos, to_stderr};

/// Set for the process that is going to be killed.
const VICTIM: &str = "PATCHBAY_TEST_VICTIM";
const NAME: &str = "a_server_ends_with_a_process_that_is_killed";

#[test]
fn a_server_ends_with_a_process_that_is_killed() {
    if std::env::var_os(VICTIM).is_some() {
        return hold_a_server();
    }
    let files = tempfile::tempdir().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(VICTIM, "1")
        // A killed process cannot remove its files; this directory's owner does.
        .env("TMPDIR", files.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let said = |line: String| line.rsplit_once("server ")?.1.parse().ok();
    let server: u32 = lines.map_while(Result::ok).find_map(said).unwrap();
    assert!(is_running(server));
    victim.kill().unwrap();
    victim.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while is_running(server) {
        assert!(Instant::now() < end, "the server still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn hold_a_server() {
    let started = std::thread::spawn(|| Nicos::start(&to_stderr));
    // The thread that asked for the server has ended; the server must not have.
    let mut nicos = started.join().unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(nicos.is_alive());
    println!("server {}", nicos.pid());
    let left = nicos.wait_exit(Duration::from_secs(120));
    panic!("nobody killed us: {left:?}");
}

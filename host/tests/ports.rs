//! `patchbay check` finds out beforehand what could not be listened on.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// A configuration with a socket frontend for each of these tables.
struct Site(tempfile::TempDir);

impl Site {
    fn new(frontends: &[String]) -> Site {
        let site = Site(tempfile::tempdir().unwrap());
        for name in ["echo", "socket"] {
            let copy = site.0.path().join(build::file_name(name));
            std::fs::copy(build::plugin(name), copy).unwrap();
        }
        let mut config = String::from(
            "[gateway]\nplugin_path = ['.']\n[[backend]]\nid = 'echo'\nplugin = 'echo'\n",
        );
        for (number, frontend) in frontends.iter().enumerate() {
            config += &format!(
                "[[frontend]]\nid = 'f{number}'\nplugin = 'socket'\nbackend = 'echo'\nconfig = {frontend}\n"
            );
        }
        std::fs::write(site.file(), config).unwrap();
        site
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("patchbay.toml")
    }

    fn say(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(words)
            .arg(self.file())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }
}

/// Ends when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_port_that_somebody_else_uses_is_a_mistake_with_its_line_and_who_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = Site::new(&[format!("{{ tcp = '127.0.0.1:{port}' }}")]);
    let (status, said) = site.say(&["check"]);
    assert_eq!(status, Some(3), "{said}");
    let own = std::process::id();
    for part in [
        "patchbay.toml:10:18".to_owned(),
        format!("port {port} of 127.0.0.1 is in use (by "),
        "^^^".to_owned(),
        format!("process {own})"),
    ] {
        assert!(said.contains(&part), "{part}: {said}");
    }
    let (status, said) = site.say(&["check", "--offline"]);
    assert_eq!(status, Some(0), "{said}");
    drop(listener);
    assert_eq!(site.say(&["check"]).0, Some(0));
}

#[test]
fn two_instances_that_listen_at_the_same_place_are_a_mistake() {
    let address = |place: &str| format!("{{ tcp = '{place}' }}");
    let file = "{ unix = '/nowhere/clients.sock' }".to_owned();
    for (one, other, is_good) in [
        (address("127.0.0.1:7"), address("localhost:7"), false),
        (address("127.0.0.1:7"), address("127.0.0.1:8"), true),
        (file.clone(), file.clone(), false),
        // Both are told nothing.
        ("{}".to_owned(), "{}".to_owned(), false),
        ("{}".to_owned(), file, true),
    ] {
        let site = Site::new(&[one.clone(), other.clone()]);
        let (status, said) = site.say(&["check", "--offline"]);
        assert_eq!(status == Some(0), is_good, "{one} {other}: {said}");
        if !is_good {
            assert!(said.contains("is listened on twice"), "{said}");
        }
    }
}

#[test]
fn the_ports_of_the_gateway_that_runs_with_this_file_are_its_own() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let site = Site::new(&[format!("{{ tcp = '127.0.0.1:{port}' }}")]);
    drop(free);
    let gateway = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .arg("run")
        .arg(site.file())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _gateway = Running(gateway);
    let end = Instant::now() + PATIENCE;
    let is_running = || {
        let (_, said) = site.say(&["status", "--json"]);
        said.matches("\"running\"").count() == 2
    };
    while !is_running() {
        assert!(Instant::now() < end, "{}", site.say(&["status"]).1);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(TcpListener::bind(("127.0.0.1", port)).is_err());
    let (status, said) = site.say(&["check"]);
    assert_eq!(status, Some(0), "{said}");
}

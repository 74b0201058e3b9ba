//! What the service manager hears of a gateway.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "[gateway]\nplugin_path = ['.']\n\
    [[backend]]\nid = 'rogue'\nplugin = 'rogue'\n\
    [[frontend]]\nid = 'local'\nplugin = 'socket'\nbackend = 'rogue'\nconfig = { unix = '@SOCKET@' }\n";

/// A gateway, and the socket of the service manager that has started it, which is this test.
struct Service {
    process: Child,
    manager: UnixDatagram,
    _folder: tempfile::TempDir,
}

impl Service {
    fn start() -> Service {
        let folder = tempfile::tempdir().unwrap();
        for name in ["rogue", "socket"] {
            let copy = folder.path().join(build::file_name(name));
            std::fs::copy(build::plugin(name), copy).unwrap();
        }
        let clients = folder.path().join("clients.sock");
        let config = CONFIG.replace("@SOCKET@", clients.to_str().unwrap());
        std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
        let notify = folder.path().join("notify");
        let manager = UnixDatagram::bind(&notify).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        // As systemd does, which knows the number of the process that it starts.
        let script = format!(
            "WATCHDOG_PID=$$ exec {} run patchbay.toml",
            env!("CARGO_BIN_EXE_patchbay")
        );
        let process = Command::new("sh")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env("NOTIFY_SOCKET", &notify)
            .env("WATCHDOG_USEC", "300000")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Service {
            process,
            manager,
            _folder: folder,
        }
    }

    /// What is said next, in lines.
    fn hear(&self) -> Option<Vec<String>> {
        let mut bytes = [0; 4096];
        let count = self.manager.recv(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        Some(text.lines().map(str::to_owned).collect())
    }

    /// Listens until this is said; returns what is said with it.
    fn hear_of(&self, word: &str) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let said = self.hear().unwrap_or_default();
            if said.iter().any(|line| line == word) {
                return said;
            }
        }
        panic!("{word} was not said");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_service_manager_hears_of_readiness_life_and_end() {
    let mut service = Service::start();
    let ready = service.hear_of("READY=1");
    assert!(ready.contains(&"STATUS=0 clients".to_owned()), "{ready:?}");
    let alive = service.hear_of("WATCHDOG=1");
    assert!(alive.contains(&"STATUS=0 clients".to_owned()), "{alive:?}");
    service.signal(Signal::HUP);
    let reloading = service.hear_of("RELOADING=1");
    let since = |line: &String| line.starts_with("MONOTONIC_USEC=");
    assert!(reloading.iter().any(since), "{reloading:?}");
    service.hear_of("READY=1");
    service.signal(Signal::TERM);
    service.hear_of("STOPPING=1");
    assert_eq!(service.process.wait().unwrap().code(), Some(0));
}

#[test]
fn a_gateway_that_does_nothing_any_more_is_silent() {
    let service = Service::start();
    service.hear_of("WATCHDOG=1");
    service.signal(Signal::STOP);
    service
        .manager
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    // What it said before may still lie there.
    let words = std::iter::from_fn(|| service.hear()).take(100).count();
    assert!(words < 100, "it goes on and on");
    service.manager.set_read_timeout(Some(PATIENCE)).unwrap();
    service.signal(Signal::CONT);
    service.hear_of("WATCHDOG=1");
}

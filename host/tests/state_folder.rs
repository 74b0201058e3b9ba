//! A state directory without room, on a small file system of its own.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay::control::{Answer, Order, StateFolder, ask};
use patchbay_testkit::build;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "[gateway]\nplugin_path = ['.']\nstate_path = 'state'\n\
    [[backend]]\nid = 'echo'\nplugin = 'echo'\n\
    [[frontend]]\nid = 'local'\nplugin = 'socket'\nbackend = 'echo'\nconfig = { unix = '@SOCKET@' }\n";

/// Ends when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn status_says_that_the_state_directory_is_full_and_that_it_is_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["echo", "socket"] {
        let copy = folder.path().join(build::file_name(name));
        std::fs::copy(build::plugin(name), copy).unwrap();
    }
    let socket = folder.path().join("clients.sock");
    let config = CONFIG.replace("@SOCKET@", socket.to_str().unwrap());
    std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
    let script = format!(
        "mkdir -p state && mount -t tmpfs -o size=8m,mode=700 none state && exec {} run patchbay.toml",
        env!("CARGO_BIN_EXE_patchbay")
    );
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let gateway = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .current_dir(folder.path())
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap();
    let gateway = Running(gateway);
    // As the gateway sees it, which alone has that file system.
    let state = PathBuf::from(format!("/proc/{}/root", gateway.0.id()))
        .join(folder.path().strip_prefix("/").unwrap())
        .join("state");
    let look = |what: &str, is_it: &dyn Fn(&StateFolder) -> bool| {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = match ask(&state, &Order::Status) {
                Ok(Answer::Status(status)) if is_it(&status.state) => return status.state,
                other => other,
            };
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
            assert!(Instant::now() < end, "in vain: {what}: {found:?}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let found = look("an answer", &|_| true);
    assert_eq!(found.trouble, None);
    assert!(found.to_string().ends_with("MiB free"), "{found}");
    let filler = state.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[b'x'; 1 << 12]).is_ok() {}
    let found = look("no room", &|found| found.trouble.is_some());
    assert!(
        found
            .to_string()
            .contains("it is full, so submits are refused"),
        "{found}"
    );
    std::fs::remove_file(filler).unwrap();
    drop(file);
    look("room", &|found| found.trouble.is_none());
}

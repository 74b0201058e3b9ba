//! Whose code runs, and who gives orders: what a gateway refuses, and what it says.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with plugins, and a configuration that uses them.
struct Site(tempfile::TempDir);

impl Site {
    fn new(gateway: &str) -> Site {
        let site = Site(tempfile::tempdir().unwrap());
        std::fs::create_dir(site.plugins()).unwrap();
        set_permissions(site.plugins(), Permissions::from_mode(0o755)).unwrap();
        for name in ["echo", "socket"] {
            let file = build::plugin(name);
            std::fs::copy(&file, site.plugin(name)).unwrap();
        }
        let config = format!(
            "[gateway]\nplugin_path = ['plugins']\n{gateway}\n\
             [[backend]]\nid = 'echo'\nplugin = 'echo'\n\
             [[frontend]]\nid = 'local'\nplugin = 'socket'\nbackend = 'echo'\nconfig = {{ unix = '{}' }}\n",
            site.path("clients.sock").display()
        );
        std::fs::write(site.path("patchbay.toml"), config).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn plugins(&self) -> PathBuf {
        self.path("plugins")
    }

    fn plugin(&self, name: &str) -> PathBuf {
        self.plugins().join(build::file_name(name))
    }

    /// Runs `patchbay` with these words and this site's configuration: its status, and what it says.
    fn say(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(words)
            .arg(self.path("patchbay.toml"))
            .output()
            .unwrap();
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        (status.code(), said)
    }

    fn run(&self) -> Running {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(["run", self.path("patchbay.toml").to_str().unwrap()])
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Running(process)
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

fn mode(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_every_user_can_change_is_neither_checked_nor_run() {
    let site = Site::new("");
    assert_eq!(
        site.say(&["check"]).0,
        Some(0),
        "{}",
        site.say(&["check"]).1
    );
    for (path, bad, good) in [
        (site.plugin("echo"), 0o646, 0o644),
        (site.plugins(), 0o777, 0o755),
        (site.plugins(), 0o1777, 0o755),
    ] {
        mode(&path, bad);
        for verb in ["check", "run"] {
            let (status, said) = site.say(&[verb]);
            assert_eq!(status, Some(3), "{verb}: {said}");
            let remedy = format!("chmod o-w {}", path.display());
            let found = format!("(mode {bad:04o})");
            assert!(
                said.contains(&remedy) && said.contains(&found),
                "{verb}: {said}"
            );
        }
        // The remedy is what it says.
        let done = Command::new("chmod")
            .arg("o-w")
            .arg(&path)
            .status()
            .unwrap();
        assert!(done.success());
        assert_eq!(site.say(&["check"]).0, Some(0));
        mode(&path, good);
    }
}

#[test]
fn with_a_list_only_what_is_trusted_is_loaded() {
    let site = Site::new("trusted_plugins = 'trusted'");
    let list = site.path("trusted");
    let (status, said) = site.say(&["check"]);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("patchbay plugin trust"), "{said}");

    let echo = site.plugin("echo");
    let (status, said) = site.say(&["plugin", "trust", echo.to_str().unwrap(), "--config"]);
    assert_eq!(status, Some(0), "{said}");
    for verb in ["check", "run"] {
        let (status, said) = site.say(&[verb]);
        assert_eq!(status, Some(3), "{verb}: {said}");
        // The command that it names is the one that helps.
        let remedy = format!(
            "patchbay plugin trust --list {} {}",
            list.display(),
            site.plugin("socket").display()
        );
        assert!(said.contains(&remedy), "{verb}: {said}");
        assert!(!said.contains(&*echo.to_string_lossy()), "{verb}: {said}");
    }
    let (_, listed) = site.say(&["plugin", "list", "--config"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert!(
        lines[0].contains("echo") && lines[0].ends_with("trusted"),
        "{listed}"
    );
    assert!(
        lines[2].contains("is not among the trusted plugins"),
        "{listed}"
    );

    let socket = site.plugin("socket");
    site.say(&["plugin", "trust", socket.to_str().unwrap(), "--config"]);
    assert_eq!(
        site.say(&["check"]).0,
        Some(0),
        "{}",
        site.say(&["check"]).1
    );
    let text = std::fs::read_to_string(&list).unwrap();
    assert!(text.contains("patchbay-echo 0.1.0, 20"), "{text}");

    // Another build under the same name is another file.
    let mut bytes = std::fs::read(&echo).unwrap();
    bytes.push(0);
    std::fs::write(&echo, bytes).unwrap();
    let (status, said) = site.say(&["check"]);
    assert_eq!(status, Some(3), "{said}");
    let (status, said) = site.say(&["plugin", "untrust", echo.to_str().unwrap(), "--config"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("is not in the list"), "{said}");
    let (status, said) = site.say(&["plugin", "untrust", socket.to_str().unwrap(), "--config"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(
        site.say(&["check"])
            .1
            .contains("libpatchbay_socket.so is not among")
    );

    // Who can write the list could allow everything.
    mode(&list, 0o666);
    let (status, said) = site.say(&["check"]);
    assert_eq!(status, Some(3), "{said}");
    assert!(
        said.contains(&format!("chmod o-w {}", list.display())),
        "{said}"
    );
}

#[test]
fn orders_are_taken_from_this_user_or_from_one_group_as_well() {
    let group = Command::new("id").arg("-gn").output().unwrap().stdout;
    let group = String::from_utf8(group).unwrap();
    let number = rustix::process::getegid().as_raw();
    for (key, file_mode, folder_mode) in [
        (String::new(), 0o600, 0o700),
        (format!("control_group = '{}'", group.trim()), 0o660, 0o710),
    ] {
        let site = Site::new(&key);
        let _gateway = site.run();
        let end = Instant::now() + PATIENCE;
        while site.say(&["status"]).0 != Some(0) {
            let log = std::fs::read_to_string(site.path("log")).unwrap();
            assert!(Instant::now() < end, "no answer\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        let socket = site.path("state/control.sock").metadata().unwrap();
        let folder = site.path("state").metadata().unwrap();
        assert_eq!(socket.mode() & 0o7777, file_mode, "{key}");
        assert_eq!(folder.mode() & 0o7777, folder_mode, "{key}");
        assert_eq!(socket.gid(), number);
    }
}

#[test]
fn a_group_that_is_not_there_is_said_and_nobody_is_let_in_in_its_place() {
    let site = Site::new("control_group = 'no-such-group'");
    let _gateway = site.run();
    let end = Instant::now() + PATIENCE;
    loop {
        let log = std::fs::read_to_string(site.path("log")).unwrap();
        if log.contains("there is no group `no-such-group`") && log.contains("\"ready\"") {
            break;
        }
        assert!(Instant::now() < end, "{log}");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!site.path("state/control.sock").exists());
}

#[test]
fn a_newer_build_takes_over_only_if_it_is_trusted_and_nobody_else_can_change_it() {
    let site = Site::new("trusted_plugins = 'trusted'");
    let (echo, socket) = (site.plugin("echo"), site.plugin("socket"));
    let (echo, socket) = (echo.to_str().unwrap(), socket.to_str().unwrap());
    assert_eq!(
        site.say(&["plugin", "trust", echo, socket, "--config"]).0,
        Some(0)
    );
    let _gateway = site.run();
    let end = Instant::now() + PATIENCE;
    while site.say(&["status"]).1.matches("running").count() != 2 {
        assert!(Instant::now() < end, "{}", site.say(&["status"]).1);
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut newer = std::fs::read(echo).unwrap();
    newer.push(0);
    let beside = site.path("newer.so");
    std::fs::write(&beside, newer).unwrap();
    mode(&beside, 0o666);
    std::fs::rename(&beside, echo).unwrap();
    let reload = ["plugin", "reload", "echo"];
    let (status, said) = site.say(&reload);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("chmod o-w"), "{said}");
    mode(Path::new(echo), 0o644);
    let (status, said) = site.say(&reload);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("is not among the trusted plugins"), "{said}");
    assert_eq!(site.say(&["plugin", "trust", echo, "--config"]).0, Some(0));
    let (status, said) = site.say(&reload);
    assert_eq!(status, Some(0), "{said}");
}

//! The Debian package, installed, used, upgraded and purged on this very system, seen through an overlay: nothing of it
//! is changed. Needs root, and leave to mount.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);
const CONFIG: &str = "/etc/patchbay/patchbay.toml";
const UNIT: &str = "/usr/lib/systemd/system/patchbay.service";

/// Everything that is here, read only, below what is written from now on. Then it waits.
const OVERLAY: &str = r#"
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --bind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mount -t tmpfs none "$1/root/run"
mount -t tmpfs none "$1/root/tmp"
echo made
exec sleep infinity
"#;

/// This system, to be changed at will; gone when it is dropped.
struct Copy {
    keeper: Child,
    folder: tempfile::TempDir,
}

impl Copy {
    fn make() -> Copy {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Command::new("unshare")
            .args(["--mount", "sh", "-euc", OVERLAY, "sh"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut stdout = BufReader::new(keeper.stdout.take().unwrap());
        stdout.read_line(&mut said).unwrap();
        assert_eq!(
            said, "made\n",
            "no overlay of this system: this test needs to be root, and to be allowed to mount"
        );
        Copy { keeper, folder }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args([
                "--mount",
                "--target",
                &self.keeper.id().to_string(),
                "chroot",
            ])
            .arg(self.folder.path().join("root"))
            .args(words);
        command
    }

    /// Its exit status and all that it says.
    fn say(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.command(words).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    fn must(&self, words: &[&str]) -> String {
        let (status, said) = self.say(words);
        assert_eq!(status, Some(0), "{words:?}: {said}");
        said
    }

    /// A path in it, or of what was written to it, as it is seen from outside.
    fn path(&self, layer: &str, path: &str) -> PathBuf {
        let below = |path: &Path| path.strip_prefix("/").unwrap_or(path).to_owned();
        PathBuf::from(format!("/proc/{}/root", self.keeper.id()))
            .join(below(self.folder.path()))
            .join(layer)
            .join(below(Path::new(path)))
    }

    fn install(&self, package: &Path) -> String {
        std::fs::copy(package, self.path("root", "/tmp/patchbay.deb")).unwrap();
        self.must(&["dpkg", "--install", "/tmp/patchbay.deb"])
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// The package with this version, of what was built for this test.
fn package(version: &str, out: &Path) -> PathBuf {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["deb", "--version", version, "--built"])
        .arg(build::folder())
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaints}");
    PathBuf::from(said.trim_end())
}

/// The command that the unit starts, as its user.
fn exec_start(unit: &str) -> Vec<&str> {
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let mut words = vec![
        "setpriv",
        "--reuid=patchbay",
        "--regid=patchbay",
        "--init-groups",
        "--no-new-privs",
    ];
    words.extend(line.unwrap().split(' '));
    words
}

#[test]
fn it_is_installed_checked_run_upgraded_and_purged() {
    for name in ["activemq", "nicos", "socket"] {
        build::plugin(name);
    }
    build::package("patchbay");
    let out = tempfile::tempdir().unwrap();
    let first = package("0.1.0", out.path());
    let second = package("0.1.1", out.path());
    let system = Copy::make();

    let said = system.install(&first);
    assert!(said.contains("Patchbay does not run yet"), "{said}");
    system.must(&["getent", "passwd", "patchbay"]);
    let others = system.must(&[
        "find",
        "/usr/bin/patchbay",
        "/usr/lib/patchbay",
        "/etc/patchbay",
        "-perm",
        "/022",
        "-o",
        "!",
        "-user",
        "root",
    ]);
    assert_eq!(others, "", "only root may change it");
    assert_eq!(system.must(&["dpkg", "--verify", "patchbay"]), "");
    for (reader, file) in [
        ("gzip", "/usr/share/man/man1/patchbay.1.gz"),
        ("gzip", "/usr/share/man/man1/patchbay-run.1.gz"),
        ("gzip", "/usr/share/doc/patchbay/changelog.gz"),
        ("bash", "/usr/share/bash-completion/completions/patchbay"),
    ] {
        let look = if reader == "gzip" { "-t" } else { "-n" };
        system.must(&[reader, look, file]);
    }
    let said = system.must(&["patchbay", "check", "--offline", CONFIG]);
    assert!(
        said.contains("/usr/lib/patchbay/plugins/libpatchbay_nicos.so"),
        "{said}"
    );
    system.must(&[
        "patchbay",
        "check",
        "--offline",
        "/usr/share/doc/patchbay/examples/several.toml",
    ]);
    assert_eq!(system.must(&["systemd-analyze", "verify", UNIT]), "");
    system.must(&[
        "systemd-analyze",
        "security",
        "--offline=yes",
        "--threshold=20",
        UNIT,
    ]);

    // An administrator changes the configuration; here, so that it takes any port that is free.
    system.must(&["sed", "-i", "s/127.0.0.1:1310/127.0.0.1:0/", CONFIG]);
    // As systemd does, by StateDirectory.
    system.must(&[
        "install",
        "--directory",
        "--owner=patchbay",
        "--group=patchbay",
        "--mode=700",
        "/var/lib/patchbay",
    ]);
    let unit = std::fs::read_to_string(system.path("root", UNIT)).unwrap();
    let mut gateway = system
        .command(&exec_start(&unit))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        let (_, said) = system.say(&["patchbay", "status", "--json"]);
        if said.matches(r#""phase":"running""#).count() == 2 {
            break;
        }
        assert!(Instant::now() < end, "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
    // The process itself is another one than `nsenter` only until it has become it.
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).unwrap();
    let of_user = system.must(&["id", "--user", "patchbay"]);
    let uid = status
        .lines()
        .find(|line| line.starts_with("Uid:"))
        .unwrap();
    assert!(uid.contains(of_user.trim()), "{uid}");
    system.must(&["kill", &gateway.id().to_string()]);
    assert_eq!(gateway.wait().unwrap().code(), Some(0));

    system.install(&second);
    let version = system.must(&[
        "dpkg-query",
        "--showformat=${Version}",
        "--show",
        "patchbay",
    ]);
    assert_eq!(version, "0.1.1");
    let config = std::fs::read_to_string(system.path("root", CONFIG)).unwrap();
    assert!(
        config.contains("127.0.0.1:0"),
        "what an administrator has changed stays"
    );

    system.must(&["dpkg", "--purge", "patchbay"]);
    let written = system.path("upper", "/");
    let left = Command::new("find")
        .args([
            ".",
            "-path",
            "./var/cache",
            "-prune",
            "-o",
            "-name",
            "*patchbay*",
            "!",
            "-type",
            "c",
            "-print",
        ])
        .current_dir(written)
        .output()
        .unwrap();
    let left = String::from_utf8(left.stdout).unwrap();
    assert_eq!(left.trim(), "./var/lib/patchbay", "nothing else is left");
}

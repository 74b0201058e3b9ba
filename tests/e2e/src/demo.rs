//! `cargo xtask demo`, as a newcomer runs it.

use crate::wait_until;
use patchbay_testkit::build;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A demo that is running: what it has said so far, line by line.
pub struct Demo {
    process: std::process::Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl Demo {
    /// Starts it with these words.
    pub fn start(words: &[&str]) -> Demo {
        build::package("xtask");
        let mut process = Command::new(build::folder().join("xtask"))
            .arg("demo")
            .args(words)
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

    /// All that it has said.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Waits for as long as the demo runs: the first one installs and builds.
    pub fn wait_for(&mut self, text: &str) {
        while !self.said().contains(text) {
            let ended = self.process.try_wait().unwrap();
            assert_eq!(ended, None, "it never said `{text}`: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The process ids that it named, by the word before them.
    pub fn processes(&self) -> Vec<(String, String)> {
        let said = self.said();
        let lines = said.lines().filter_map(|line| {
            let id = line.split_once("(process ")?.1.strip_suffix(')')?;
            Some((line.split_whitespace().next()?.to_owned(), id.to_owned()))
        });
        lines.collect()
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
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
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Those processes have ended.
pub fn assert_gone(processes: &[(String, String)]) {
    assert!(!processes.is_empty(), "the demo names its processes");
    for (name, id) in processes {
        wait_until(&format!("the end of {name}"), || {
            (!Path::new("/proc").join(id).exists()).then_some(())
        });
    }
}

/// A `PATH` as on a machine without Debian's packages and without a way to any; what it needs lies in `folder`.
pub fn path_without_packages(folder: &Path) -> String {
    for (name, script) in [
        ("dpkg-query", "#!/bin/sh\nexit 1\n"),
        (
            "apt-get",
            "#!/bin/sh\necho 'E: no way to any mirror'\nexit 100\n",
        ),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let usual = std::env::var("PATH").unwrap();
    format!("{}:{usual}", folder.display())
}

//! An instrument without a broker: a NICOS daemon, and the gateway with a socket for `patchbay client`.

use patchbay_servers::{Gateway, Nicos, Terminal, free_port, silent};
use patchbay_testkit::build;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::{gateway, wait_until};

/// The instrument, and the folder of somebody who works at it.
pub struct Local {
    /// The gateway.
    pub gateway: Gateway,
    /// The daemon.
    pub nicos: Nicos,
    address: String,
    home: tempfile::TempDir,
}

/// A client that was called and has not ended.
pub struct Running {
    child: Child,
    out: Said,
    err: Said,
}

/// What comes out of a client, read as it comes.
struct Said {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

/// What a client said.
#[derive(Debug)]
pub struct Called {
    /// Its exit status.
    pub status: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Local {
    /// Starts everything. The gateway comes back at the same address when it is restarted.
    pub fn start() -> Local {
        let nicos = Nicos::start(&silent).unwrap();
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let config = CONFIG
            .replace("@NICOS@", &nicos.address().to_string())
            .replace("@SOCKET@", &address);
        let gateway = gateway(&config, &["nicos", "socket"]);
        let home = tempfile::tempdir().unwrap();
        let local = Local {
            gateway,
            nicos,
            address,
            home,
        };
        local.write("password", "user\n");
        local
    }

    /// Where the gateway listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens, too.
    pub fn unix_address(&self) -> String {
        format!("unix:{}", self.gateway.dir().join("local.sock").display())
    }

    /// The folder in which clients are called; their configuration is in it.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into that folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home().join(name), text).unwrap();
    }

    /// Calls the client with these words, as NICOS's `user`, until it ends.
    pub fn client(&self, words: &[&str]) -> Called {
        self.call(words).end()
    }

    /// As [`Local::client`], at another address.
    pub fn client_at(&self, address: &str, words: &[&str]) -> Called {
        self.call_at(address, words).end()
    }

    /// Calls the client with these words, as NICOS's `user`.
    pub fn call(&self, words: &[&str]) -> Running {
        self.call_at(&self.address, words)
    }

    fn call_at(&self, address: &str, words: &[&str]) -> Running {
        let mut command = Command::new(program());
        command.current_dir(self.home());
        command.args(["client", "--connect", address]);
        command.args(words);
        command
            .env("PATCHBAY_USER", "user")
            .env("PATCHBAY_PASSWORD_FILE", "password")
            .env("XDG_CONFIG_HOME", self.home())
            .env("XDG_STATE_HOME", self.home());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = Said::read(child.stdout.take().unwrap());
        let err = Said::read(child.stderr.take().unwrap());
        Running { child, out, err }
    }

    /// A terminal in that folder, where `patchbay` can be called by its name.
    pub fn terminal(&self, variables: &[(&str, &str)]) -> Terminal {
        let folder = build::folder();
        let path = format!("{}:/usr/bin:/bin", folder.display());
        let home = self.home().to_str().unwrap();
        let usual = [
            ("PATH", path.as_str()),
            ("HOME", home),
            ("XDG_CONFIG_HOME", home),
            ("XDG_STATE_HOME", home),
            ("PATCHBAY_CONNECT", self.address()),
        ];
        let terminal = Terminal::start(&[&usual, variables].concat(), &silent).unwrap();
        terminal.type_line(&format!("cd {home}; clear")).unwrap();
        terminal
    }
}

impl Said {
    fn read(from: impl Read + Send + 'static) -> Said {
        let text = Arc::<Mutex<String>>::default();
        let all = text.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(from).lines() {
                *all.lock().unwrap() += &(line.unwrap() + "\n");
            }
        });
        Said { text, reader }
    }

    fn end(self) -> String {
        self.reader.join().unwrap();
        std::mem::take(&mut *self.text.lock().unwrap())
    }
}

impl Running {
    /// Waits until it has ended.
    pub fn end(mut self) -> Called {
        let status = self.child.wait().unwrap();
        Called {
            status: status.code(),
            out: self.out.end(),
            err: self.err.end(),
        }
    }

    /// Waits until its standard output shows this.
    pub fn shows(&self, text: &str) {
        wait_until(text, || {
            let out = self.out.text.lock().unwrap();
            out.contains(text).then_some(())
        });
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Called {
    /// Asserts the exit status, with everything said if it is another one.
    pub fn ended(self, status: i32) -> Called {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }

    /// Standard output as JSON, one object per line.
    pub fn records(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn program() -> PathBuf {
    build::folder().join("patchbay")
}

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
log_level = "debug"

[[backend]]
id = "nicos"
plugin = "nicos"
[backend.config]
address = "@NICOS@"

[[frontend]]
id = "local"
plugin = "socket"
backend = "nicos"
[frontend.config]
tcp = "@SOCKET@"
unix = "@DIR@/local.sock"
"#;

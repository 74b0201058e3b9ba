//! A gateway that runs: the real process with real plugins, and a client of its socket frontend.

use patchbay_testkit::build;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
[gateway]
name = "here"
plugin_path = ["."]
log_format = "json"
@GATEWAY@
[[backend]]
id = "back"
plugin = "@PLUGIN@"
@BACKEND@
[[frontend]]
id = "local"
plugin = "socket"
backend = "back"
[frontend.config]
unix = "@SOCKET@"
"#;

/// The process; it ends when this is dropped.
pub struct Gateway {
    process: Child,
    pub folder: tempfile::TempDir,
}

impl Gateway {
    /// With these lines in `[gateway]`, a backend of this plugin and these lines in its table.
    pub fn start(gateway: &str, plugin: &str, backend: &str) -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        for name in [plugin, "socket"] {
            let file = build::plugin(name);
            std::fs::copy(&file, folder.path().join(build::file_name(name))).unwrap();
        }
        let config = CONFIG
            .replace("@GATEWAY@", gateway)
            .replace("@PLUGIN@", plugin)
            .replace("@BACKEND@", backend)
            .replace(
                "@SOCKET@",
                folder.path().join("clients.sock").to_str().unwrap(),
            );
        std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(["run", folder.path().join("patchbay.toml").to_str().unwrap()])
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let gateway = Gateway { process, folder };
        gateway.wait("its control socket answers", || {
            gateway.say(&["sessions"]).ok()
        });
        gateway
    }

    pub fn wait_until_ready(&self) {
        self.wait("it is ready", || {
            self.log().contains("\"message\":\"ready\"").then_some(())
        });
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("patchbay.toml")
    }

    /// Runs `patchbay` with these words and this gateway's file: what it prints, or complains of.
    pub fn say(&self, words: &[&str]) -> Result<String, String> {
        let output = self.command(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        match output.status.success() {
            true => Ok(text(output.stdout)),
            false => Err(text(output.stderr)),
        }
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        command.args(words).arg(self.file());
        command
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The lines of the log as JSON.
    pub fn lines(&self) -> Vec<Value> {
        let log = self.log();
        let whole = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        whole.collect()
    }

    /// Waits for what `look` finds.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < end, "in vain: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn client(&self) -> Client {
        Client::login(&self.folder.path().join("clients.sock"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that is logged in.
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    fn login(socket: &Path) -> Client {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client {
            stream: BufReader::new(stream),
        };
        client.line();
        let login = json!({"op": "login", "args": {"user": "anna", "secret": "s3cret-word"}});
        assert!(client.ask(&login)["ok"].is_object());
        client
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        let line = format!("{request}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
        self.line()
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

//! `patchbay client` through the gateway's socket, with a real RE Manager behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{gateway, wait_until};
use patchbay_servers::{Gateway, QueueServer, free_port, silent};
use patchbay_testkit::build;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
log_level = "debug"

[[backend]]
id = "beamline"
plugin = "queueserver"
[backend.config]
control = "@CONTROL@"
info = "@INFO@"
users = { anna = { secret = { value = "secret" }, role = "user" } }

[[frontend]]
id = "local"
plugin = "socket"
backend = "beamline"
[frontend.config]
tcp = "@SOCKET@"
"#;

struct Site {
    // Declared, and so dropped, before what it uses.
    _gateway: Gateway,
    _server: QueueServer,
    address: String,
    home: tempfile::TempDir,
}

impl Site {
    fn start() -> Site {
        let server = QueueServer::start(&silent).unwrap();
        let address = format!("127.0.0.1:{}", free_port().unwrap());
        let config = CONFIG
            .replace("@CONTROL@", &server.control().to_string())
            .replace("@INFO@", &server.info().to_string())
            .replace("@SOCKET@", &address);
        let site = Site {
            _gateway: gateway(&config, &["queueserver", "socket"]),
            _server: server,
            address,
            home: tempfile::tempdir().unwrap(),
        };
        site.write("password", "secret\n");
        site
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path().join(name), text).unwrap();
    }

    fn client(&self, words: &[&str]) -> Output {
        let mut command = Command::new(build::folder().join("patchbay"));
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
            .args(["client", "--connect", &self.address])
            .args(words);
        command
            .env("PATCHBAY_USER", "anna")
            .env("PATCHBAY_PASSWORD_FILE", "password")
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path());
        command.output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_script_is_submitted_followed_and_its_end_is_the_exit_status() {
    let site = Site::start();
    site.write(
        "good.py",
        "import time\nfor i in range(3):\n    print('step', i)\n    time.sleep(0.2)\n",
    );
    site.write("bad.py", "print('before')\nnope\n");
    let good = site.client(&["submit", "good.py"]);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    assert_eq!(text(&good.stdout), "step 0\nstep 1\nstep 2\n");
    assert!(
        text(&good.stderr).contains("good.py succeeded after"),
        "{good:?}"
    );
    let bad = site.client(&["submit", "bad.py"]);
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    for said in ["before\n", "NameError", "File \"<bad.py>\", line 2"] {
        assert!(text(&bad.stdout).contains(said), "{said}: {bad:?}");
    }
    let status = site.client(&["status"]);
    assert!(
        text(&status.stdout).contains("last: bad.py failed"),
        "{status:?}"
    );
    let wrong = Command::new(build::folder().join("patchbay"))
        .args(["client", "--connect", &site.address, "status"])
        .env("PATCHBAY_USER", "anna")
        .env("PATCHBAY_PASSWORD_FILE", site.home.path().join("bad.py"))
        .env("XDG_STATE_HOME", site.home.path())
        .output()
        .unwrap();
    assert_ne!(wrong.status.code(), Some(0), "{wrong:?}");

    // Old clients find their words here as well.
    let mut stream = TcpStream::connect(&site.address).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut nicos = |request: Value| -> Value {
        writeln!(stream, "{request}").unwrap();
        let answers = lines
            .by_ref()
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let mut answers = answers.filter(|line: &Value| line.get("success").is_some());
        let answer = answers.next().unwrap();
        assert_eq!(answer["success"], true, "{request}: {answer}");
        answer["payload"].clone()
    };
    nicos(json!({"command": "authenticate", "login": "anna", "passwd": "secret"}));
    let code = "import time\ntime.sleep(0.3)\nprint('from NICOS words')\n";
    let job = nicos(json!({"command": "queue", "name": "old", "code": code}));
    assert!(job.is_string());
    wait_until("idle, and the script's output", || {
        let status = nicos(json!({"command": "getstatus"}));
        let messages = nicos(json!({"command": "getmessages", "n": 100}));
        let said = messages.as_array().unwrap().iter();
        let mut said =
            said.filter(|message| message[3] == "from NICOS words\n" && message[5] == job);
        (status["status"][0] == -1 && said.next().is_some()).then_some(())
    });
    let banner = nicos(json!({"command": "getbanner"}));
    assert_eq!(
        (&banner["protocol_version"], &banner["daemon_version"]),
        (&json!(23), &json!("0.0.25"))
    );
}

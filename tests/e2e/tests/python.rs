//! `patchbay client` at a gateway that runs scripts itself: plain Python, with nothing beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use patchbay_e2e::{PATIENCE, gateway, wait_until};
use patchbay_servers::{Gateway, silent};
use patchbay_testkit::build;
use serde_json::{Value, json};

/// A laboratory: a gateway, and the folder of somebody who works there.
struct Lab {
    gateway: Gateway,
    home: tempfile::TempDir,
}

/// What a client said when it had ended.
#[derive(Debug)]
struct Called {
    status: Option<i32>,
    out: String,
    err: String,
}

/// Starts the gateway with a small file system of its own over the backend's folder.
const SMALL: &str = r#"#!/bin/sh
exec unshare --user --map-root-user --mount sh -c '
    mkdir -p python && mount -t tmpfs -o size=4m,mode=700 none python && exec "@GATEWAY@" "$@"' sh "$@"
"#;

impl Lab {
    fn start() -> Lab {
        Lab::with(|config| gateway(config, &["python", "socket"]))
    }

    /// One whose queue has little room on disk.
    fn start_small() -> Lab {
        let mut lab = Lab::start();
        lab.gateway.stop();
        let binary = lab.file("small-gateway");
        let real = build::folder().join("patchbay");
        std::fs::write(&binary, SMALL.replace("@GATEWAY@", real.to_str().unwrap())).unwrap();
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
        let Lab { home, .. } = lab;
        let config = CONFIG.replace("@HOME@", home.path().to_str().unwrap());
        let options = Gateway::options(&binary, &build::folder(), &config);
        let gateway = options.start(&silent).unwrap();
        Lab { gateway, home }
    }

    fn with(start: impl FnOnce(&str) -> Gateway) -> Lab {
        let home = tempfile::tempdir().unwrap();
        let gateway = start(&CONFIG.replace("@HOME@", home.path().to_str().unwrap()));
        std::fs::write(home.path().join("password"), "any\n").unwrap();
        Lab { gateway, home }
    }

    /// The backend's folder, as the gateway sees it itself.
    fn folder(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.gateway.pid()));
        root.join(self.gateway.dir().strip_prefix("/").unwrap())
            .join("python")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    /// What scripts have written; nothing if they have not.
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    fn call(&self, words: &[&str]) -> Child {
        let socket = self.gateway.dir().join("lab.sock");
        let mut command = Command::new(build::folder().join("patchbay"));
        command
            .current_dir(self.home.path())
            .args(["client", "--connect", &format!("unix:{}", socket.display())])
            .args(words)
            .env("PATCHBAY_USER", "anna")
            .env("PATCHBAY_PASSWORD_FILE", "password")
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn client(&self, words: &[&str]) -> Called {
        ended(self.call(words))
    }

    /// What the client says when it is asked for JSON.
    fn json(&self, words: &[&str]) -> Value {
        let called = self.client(&[&["--json"], words].concat());
        let line = called.out.lines().next().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {called:?}"))
    }

    fn status(&self) -> Value {
        self.json(&["status"])["ok"].clone()
    }

    /// Queues a script; its job's id.
    fn queue(&self, name: &str) -> String {
        let called = self.client(&["submit", "--queue", name]).ended(0);
        called.out.trim().to_owned()
    }

    fn state(&self, job: &str) -> String {
        let answer = self.json(&["call", "job", &format!(r#"{{"job":"{job}"}}"#)]);
        answer["ok"]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn wait_for_state(&self, job: &str, state: &str) {
        wait_until(state, || (self.state(job) == state).then_some(()));
    }
}

impl Called {
    fn ended(self, status: i32) -> Called {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }
}

fn ended(client: Child) -> Called {
    let output = client.wait_with_output().unwrap();
    Called {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn submit_shows_what_a_script_prints_and_its_status_says_how_it_ended() {
    let lab = Lab::start();
    lab.write("good.py", "for i in range(3):\n    print('step', i)\n");
    lab.write("bad.py", "print('before')\ndef f():\n    nope\nf()\n");
    let good = lab.client(&["submit", "good.py"]).ended(0);
    assert_eq!(good.out, "step 0\nstep 1\nstep 2\n");
    assert!(good.err.contains("good.py succeeded after"), "{}", good.err);
    let bad = lab.client(&["submit", "bad.py"]).ended(1);
    for text in ["before\n", "error: NameError", "line 3, in f", "    nope"] {
        assert!(bad.out.contains(text), "{text} in {}", bad.out);
    }
    assert!(!bad.out.contains("worker.py"), "{}", bad.out);
    let status = lab.client(&["status"]).ended(0);
    assert!(status.out.contains("last: bad.py failed"), "{}", status.out);
    assert_eq!(lab.json(&["eval", "6 * 7"])["ok"]["value"], 42);
}

#[test]
fn a_script_is_paused_asked_answered_and_stopped_from_elsewhere() {
    let lab = Lab::start();
    let code =
        "import time\nx = input('Angle?')\nprint('got', x)\nwhile True:\n    time.sleep(0.01)\n";
    lab.write("scan.py", code);
    let script = lab.call(&["submit", "scan.py"]);
    wait_until("the question", || {
        lab.client(&["status"])
            .out
            .contains("asks: Angle?")
            .then_some(())
    });
    lab.client(&["answer", "3.5"]).ended(0);
    wait_until("the loop", || {
        (lab.status()["job"]["line"].as_u64() >= Some(4)).then_some(())
    });
    lab.client(&["pause"]).ended(0);
    wait_until("a pause", || {
        (lab.status()["run"] == "paused").then_some(())
    });
    lab.client(&["resume"]).ended(0);
    wait_until("more of it", || {
        (lab.status()["run"] == "running").then_some(())
    });
    lab.client(&["stop"]).ended(0);
    let script = ended(script).ended(4);
    assert!(script.out.contains("got 3.5"), "{}", script.out);
    assert!(script.err.contains("scan.py was stopped"), "{}", script.err);
}

/// The script ends with the gateway, so that two never run at once; it is not run again, and what waits is held.
#[test]
fn a_gateway_that_is_killed_loses_the_script_that_runs_and_keeps_those_that_wait() {
    let mut lab = Lab::start();
    let code = "\
import os, subprocess, time
with open('../runs', 'a') as runs: runs.write('run\\n')
child = subprocess.Popen(['sleep', '600'])
with open('../pids', 'w') as pids: pids.write(f'{os.getpid()} {child.pid} ')
while True: time.sleep(0.01)
";
    lab.write("long.py", code);
    lab.write(
        "next.py",
        "print('next')\nopen('../next', 'a').write('x')\n",
    );
    let script = lab.call(&["submit", "long.py"]);
    let pids = wait_until("the script", || {
        Some(lab.read("pids")).filter(|pids| pids.ends_with(' '))
    });
    let job = lab.status()["job"]["id"].as_str().unwrap().to_owned();
    let next = lab.queue("next.py");
    lab.gateway.kill9();
    wait_until("the end of the script and its child", || {
        (!pids.split_whitespace().any(is_alive)).then_some(())
    });
    lab.gateway.restart().unwrap();
    let script = ended(script).ended(5);
    assert!(script.err.contains("long.py was lost"), "{}", script.err);
    assert_eq!(
        (lab.state(&job).as_str(), lab.state(&next).as_str()),
        ("lost", "queued")
    );
    assert_eq!(lab.status()["held"], "the gateway was restarted");
    lab.client(&["resume"]).ended(0);
    lab.wait_for_state(&next, "succeeded");
    assert_eq!(
        (lab.read("runs").as_str(), lab.read("next").as_str()),
        ("run\n", "x")
    );
}

/// Wherever the gateway is killed, a script that its client sends again with the same key begins once at the most, and
/// once exactly if it is said to have succeeded.
#[test]
fn scripts_that_are_sent_while_the_gateway_is_killed_begin_once_at_the_most() {
    let mut lab = Lab::start();
    for round in 0..6 {
        let name = format!("once{round}.py");
        lab.write(&name, &format!("open('../ran{round}', 'a').write('x')\n"));
        let script = lab.call(&["submit", "--patience", "30", &name]);
        // Somewhere between nothing and all of it.
        std::thread::sleep(std::time::Duration::from_millis(40 * round));
        lab.gateway.kill9();
        lab.gateway.restart().unwrap();
        // It may wait; then it is held.
        let mut script = script;
        wait_until("its end", || {
            if lab.status()["held"].is_string() {
                lab.client(&["resume"]);
            }
            script.try_wait().unwrap().map(drop)
        });
        let script = ended(script);
        let ran = lab.read(&format!("ran{round}")).len();
        match script.status {
            Some(0) => assert_eq!(ran, 1, "{script:?}"),
            _ => assert!(ran <= 1, "{ran} times: {script:?}"),
        }
    }
}

/// What was on disk goes on; what is not does not begin. And when there is room again, all is well.
#[test]
fn a_full_disk_refuses_submits_and_lets_nothing_begin_that_it_could_not_note() {
    let lab = Lab::start_small();
    let wait = "import time\nwhile 'go' not in globals(): time.sleep(0.01)\nprint('gone on')\n";
    lab.write("wait.py", wait);
    lab.write("next.py", "print('next')\n");
    let running = lab.queue("wait.py");
    let next = lab.queue("next.py");
    wait_until("a script that runs", || {
        (lab.status()["run"] == "running").then_some(())
    });
    let filler = lab.folder().join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    for size in [64 << 10, 4 << 10, 1 << 10] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
    // What lies in the database's own files still has some room.
    lab.write("long.py", &"#".repeat(100_000));
    let refused = (0..50).map(|_| lab.client(&["submit", "--queue", "long.py"]));
    let refused = refused.into_iter().find(|called| called.status != Some(0));
    let said = refused.expect("the disk is full").err;
    assert!(
        said.contains("disk is full") && said.contains("nothing was changed"),
        "{said}"
    );
    lab.client(&["exec", "go = 1"]).ended(0);
    let held = wait_until("a held queue", || {
        lab.status()["held"].as_str().map(String::from)
    });
    assert!(held.contains("disk is full"), "{held}");
    assert_eq!(
        (lab.state(&running).as_str(), lab.state(&next).as_str()),
        ("succeeded", "queued")
    );
    assert_eq!(lab.json(&["eval", "6 * 7"])["ok"]["value"], 42);

    drop(file);
    std::fs::remove_file(filler).unwrap();
    lab.client(&["resume"]).ended(0);
    lab.wait_for_state(&next, "succeeded");
}

/// A client that knows NICOS's words, on a connection of its own.
struct NicosClient(BufReader<UnixStream>);

impl NicosClient {
    fn login(lab: &Lab) -> NicosClient {
        let stream = UnixStream::connect(lab.gateway.dir().join("lab.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = NicosClient(BufReader::new(stream));
        client.line();
        let login =
            json!({"command": "authenticate", "login": "anna", "passwd": "any", "display": ""});
        assert_eq!(client.ask(&login), json!({"user_level": 10}));
        client
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// The payload of a request that is granted.
    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.0.get_mut(), "{request}").unwrap();
        let answer = self.line();
        assert_eq!(answer["success"], true, "{request}: {answer}");
        answer["payload"].clone()
    }

    fn status(&mut self) -> Value {
        self.ask(&json!({"command": "getstatus"}))
    }

    /// Waits for a status with this code.
    fn wait_for(&mut self, code: i64) -> Value {
        wait_until("the status", || {
            Some(self.status()).filter(|status| status["status"][0] == code)
        })
    }
}

#[test]
fn clients_that_know_nicos_find_its_words_and_shapes() {
    let lab = Lab::start();
    wait_until("Python", || (lab.status()["link"] == "up").then_some(()));
    let mut client = NicosClient::login(&lab);
    let banner = client.ask(&json!({"command": "getbanner"}));
    assert_eq!(
        (&banner["protocol_version"], &banner["serializer"]),
        (&23.into(), &"json".into())
    );
    assert_eq!(client.status()["status"], json!([-1, -1]));
    let code = "import time\nprint('begun')\nwhile True:\n    time.sleep(0.01)\n";
    let first = client.ask(&json!({"command": "queue", "name": "ScriptFromGUI", "code": code}));
    let status = client.wait_for(0);
    let fields = (&status["scriptname"], &status["script"]);
    assert_eq!(fields, (&"ScriptFromGUI".into(), &code.into()));
    let next = client.ask(&json!({"command": "queue", "name": "next", "code": "1"}));
    client.ask(&json!({"command": "update", "newcode": "2", "reason": "", "reqid": next}));
    let request = json!({"reqid": next, "name": "next", "script": "2", "user": "anna"});
    assert_eq!(client.status()["requests"], json!([request]));
    client.ask(&json!({"command": "rearrange", "ids": [next]}));
    client.ask(&json!({"command": "break", "level": 2}));
    let line = client.wait_for(1)["status"][1].as_i64().unwrap();
    assert!((3..=4).contains(&line));
    client.ask(&json!({"command": "continue"}));
    client.wait_for(0);
    client.ask(&json!({"command": "unqueue", "reqid": next}));
    client.ask(&json!({"command": "stop", "level": 2}));
    let status = client.wait_for(-2);
    assert_eq!(
        (&status["script"], &status["requests"]),
        (&code.into(), &json!([]))
    );
    let messages = client.ask(&json!({"command": "getmessages", "n": 100}));
    let [logger, time, level, text, traceback, reqid] = &messages[1].as_array().unwrap()[..] else {
        panic!("a message of six: {messages}")
    };
    assert_eq!(
        (logger, level, text, reqid),
        (&"script".into(), &20.into(), &"begun\n".into(), &first)
    );
    assert!(time.is_f64() && traceback.is_null());
    assert_eq!(
        client.ask(&json!({"command": "eval", "expr": "(1, 'a')", "stringify": true})),
        r#"[1,"a"]"#
    );
    assert_eq!(client.ask(&json!({"command": "getscript"})), code);
    client.ask(&json!({"command": "emergency"}));
}

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
log_level = "debug"

[[backend]]
id = "python"
plugin = "python"
[backend.config]
folder = "@DIR@/python"
work_folder = "@HOME@/work"
anyone = "user"

[[frontend]]
id = "lab"
plugin = "socket"
backend = "python"
[frontend.config]
unix = "@DIR@/lab.sock"
"#;

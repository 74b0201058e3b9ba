//! Programs in Python as backend and frontend of a real gateway, with real clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::{Lines, PATIENCE, wait_until};
use patchbay_servers::{Gateway, free_port};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
restart_backoff_min_ms = 50

[[backend]]
id = "scripts"
plugin = "process"
[backend.config]
anyone = "admin"
program = { command = ["python3", "@ROOT@/plugins/process/examples/scripts.py"] }

[[frontend]]
id = "socket"
plugin = "socket"
backend = "scripts"
config = { tcp = "127.0.0.1:@SOCKET@" }

[[frontend]]
id = "words"
plugin = "process-frontend"
backend = "scripts"
[frontend.config.program]
command = ["python3", "@ROOT@/plugins/process-frontend/examples/lines.py"]
config = { port = @WORDS@ }
"#;

/// Cannot be there twice, since it holds a lock.
const HOLDER: &str = r#"
import fcntl, json, os, sys

def say(kind, head={}, body=None, id=0):
    print(json.dumps({"kind": kind, "id": id, "head": head, "body": body}), flush=True)

for line in sys.stdin.buffer:
    message = json.loads(line)
    kind, id = message["kind"], message["id"]
    if kind == "start":
        device = open(message["body"]["device"], "w")
        try:
            fcntl.flock(device, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("failed", {"kind": "unavailable", "message": "somebody else has the device"})
        else:
            say("ready")
    elif kind == "ping":
        say("pong", id=id)
    elif kind in ("login", "call"):
        say("reply", body={"link": "up", "run": "idle", "pid": os.getpid()}, id=id)
    elif kind == "stop":
        break
"#;

struct Site {
    gateway: Gateway,
    socket: String,
    words: u16,
}

impl Site {
    fn start() -> Site {
        let (socket, words) = (free_port().unwrap(), free_port().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = CONFIG
            .replace("@ROOT@", root.canonicalize().unwrap().to_str().unwrap())
            .replace("@SOCKET@", &socket.to_string())
            .replace("@WORDS@", &words.to_string());
        let plugins = ["process", "process-frontend", "socket"];
        Site {
            gateway: patchbay_e2e::gateway(&config, &plugins),
            socket: format!("127.0.0.1:{socket}"),
            words,
        }
    }

    /// The gateway's children that run this program.
    fn programs(&self, name: &str) -> Vec<u32> {
        let of_gateway = format!(" {} ", self.gateway.pid());
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let read = |pid: u32, what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}"));
        numbers
            .filter(|pid| read(*pid, "cmdline").is_ok_and(|line| line.contains(name)))
            .filter(|pid| read(*pid, "stat").is_ok_and(|stat| stat.contains(&of_gateway)))
            .collect()
    }
}

fn signal(pid: u32) {
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

/// A client of the frontend in Python.
struct Words(BufReader<TcpStream>);

impl Words {
    fn connect(port: u16) -> Words {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Words(BufReader::new(stream))
    }

    /// Asks; what is said. Events are left out.
    fn ask(&mut self, words: &str) -> Value {
        writeln!(self.0.get_mut(), "1 {words}").unwrap();
        loop {
            let line = self.line();
            if let Some(said) = line.strip_prefix("1 ok ") {
                return serde_json::from_str(said).unwrap();
            }
            assert!(line.starts_with("* "), "{words}: {line}");
        }
    }

    fn login(&mut self, user: &str) {
        let args = json!({"user": user, "secret": "x"});
        assert!(self.ask(&format!("login {args}")).is_u64());
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "it is cut off");
        line
    }
}

fn submit(client: &mut Lines, code: &str) -> String {
    let job = client.ok(json!({"op": "submit", "args": {"code": code}}));
    job["job"].as_str().unwrap().to_owned()
}

#[test]
fn clients_of_both_ways_run_scripts_one_after_the_other() {
    let site = Site::start();
    let mut client = Lines::login(&site.socket);
    client.ok(json!({"op": "subscribe"}));
    let job = submit(&mut client, "print('from the socket')");
    let events = client.until_finished(&job);
    let printed = events.iter().find(|event| event["kind"] == "log").unwrap();
    assert_eq!(printed["body"]["text"], "from the socket");
    assert_eq!(events.last().unwrap()["body"]["outcome"], "succeeded");
    let mut words = Words::connect(site.words);
    words.login("berta");
    words.ask("subscribe");
    let job = words.ask(r#"submit {"code": "print('from Python'); 1 / 0"}"#)["job"].clone();
    let events = client.until_finished(job.as_str().unwrap());
    assert_eq!(events.last().unwrap()["body"]["outcome"], "failed");
    while !words.line().contains("from Python") {}
    let status = words.ask("status");
    assert_eq!(status["run"], "idle");
    assert_eq!(status["last"]["id"], job);
    assert_eq!(status["last"]["user"], "berta");
}

#[test]
fn a_backend_that_is_killed_comes_back_and_its_clients_stay() {
    let site = Site::start();
    let mut client = Lines::login(&site.socket);
    let [first] = site.programs("scripts.py")[..] else {
        panic!("one program runs")
    };
    signal(first);
    let next = wait_until("another program", || {
        site.programs("scripts.py")
            .into_iter()
            .find(|pid| *pid != first)
    });
    assert_ne!(first, next);
    wait_until("it serves", || {
        let answer = client.ask(&json!({"op": "submit", "args": {"code": "pass"}}));
        answer.get("ok").map(|_| ())
    });
    let log = site.gateway.log_tail(1000);
    assert!(log.iter().any(|line| line.contains("signal 9")), "{log:?}");
}

#[test]
fn a_frontend_that_is_killed_comes_back() {
    let site = Site::start();
    Words::connect(site.words).login("anna");
    signal(site.programs("lines.py")[0]);
    wait_until("it serves", || {
        let mut stream = TcpStream::connect(("127.0.0.1", site.words)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        writeln!(stream, "1 login {{\"user\": \"anna\", \"secret\": \"x\"}}").ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        line.starts_with("1 ok ").then_some(())
    });
}

#[test]
fn programs_end_with_a_gateway_that_is_killed() {
    let mut site = Site::start();
    let mut client = Lines::login(&site.socket);
    client.ok(json!({"op": "subscribe"}));
    let code = "import os, time; print(os.getpid()); time.sleep(600)";
    submit(&mut client, code);
    let script = loop {
        let event = client.event();
        if event["kind"] == "log" {
            break event["body"]["text"].as_str().unwrap().parse().unwrap();
        }
    };
    let programs = [site.programs("scripts.py"), site.programs("lines.py")].concat();
    assert_eq!(programs.len(), 2);
    site.gateway.kill9();
    for pid in programs.into_iter().chain([script]) {
        wait_until("the program ends", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
                .then_some(())
        });
    }
}

#[test]
fn a_program_that_cannot_be_there_twice_is_ended_before_the_next_one_at_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("holder.py");
    std::fs::write(&program, HOLDER).unwrap();
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let config = format!(
        "[gateway]\nplugin_path = ['@PLUGINS@']\nrestart_backoff_min_ms = 50\n\
         [[backend]]\nid = 'holder'\nplugin = 'process'\n[backend.config]\nanyone = 'admin'\n\
         [backend.config.program]\ncommand = ['python3', '{}']\nconfig = {{ device = '{}' }}\n\
         [[frontend]]\nid = 'socket'\nplugin = 'socket'\nbackend = 'holder'\nconfig = {{ tcp = '{address}' }}\n",
        program.display(),
        folder.path().join("device").display()
    );
    let gateway = patchbay_e2e::gateway(&config, &["process", "socket"]);
    let mut client = Lines::login(&address);
    let mut pid = || {
        let look = json!({"op": "status", "args": {"fresh": true}});
        client.ask(&look)["ok"]["pid"].as_u64()
    };
    let first = pid().unwrap();
    let said = std::process::Command::new(patchbay_testkit::build::folder().join("patchbay"))
        .args(["restart", "holder"])
        .arg(gateway.config_path())
        .output()
        .unwrap();
    assert!(said.status.success(), "{said:?}");
    let second = wait_until("another one", pid);
    assert_ne!(first, second);
}

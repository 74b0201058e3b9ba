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

    fn ask(&mut self, words: &str) -> Value {
        writeln!(self.0.get_mut(), "{words}").unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
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
    assert!(words.ask("login berta x").is_u64());
    let job = words.ask("submit print('from words'); 1 / 0")["job"].clone();
    let events = client.until_finished(job.as_str().unwrap());
    assert_eq!(events.last().unwrap()["body"]["outcome"], "failed");
    let status = words.ask("status");
    assert_eq!(
        (&status["run"], &status["last"]["id"]),
        (&json!("idle"), &job)
    );
    assert_eq!(status["last"]["user"], "berta");
    wait_until("both have printed", || {
        let tail = words.ask("tail");
        let has = |text: &str| tail.as_array().unwrap().iter().any(|line| line == text);
        (has("from the socket") && has("from words")).then_some(())
    });
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
    let mut before = Words::connect(site.words);
    assert!(before.ask("login anna x").is_u64());
    signal(site.programs("lines.py")[0]);
    wait_until("it serves", || {
        let mut stream = TcpStream::connect(("127.0.0.1", site.words)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        writeln!(stream, "login anna x").ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        (!line.is_empty()).then_some(())
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

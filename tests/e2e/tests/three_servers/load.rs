//! Clients that ask and submit all the time, and count.

use patchbay_e2e::{Client, Lines, Trio, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

/// How many of each kind there are: that look, that evaluate, that submit; half of them by the broker, half by the socket.
const OF_EACH: usize = 2;

/// Between two requests of one client.
const PACE: Duration = Duration::from_millis(5);

/// All of them. They end when it is dropped.
pub struct Load<'scope> {
    shared: Arc<Shared>,
    clients: Vec<ScopedJoinHandle<'scope, Tally>>,
}

#[derive(Default)]
struct Shared {
    ends: AtomicBool,
    /// Those that change something, or ask what only the server knows, are to rest.
    calm: AtomicBool,
    resting: AtomicUsize,
    /// Who has answered how often.
    by: Mutex<BTreeMap<String, u64>>,
}

/// What became of a client's requests. Each has had its answer, or the client has failed.
#[derive(Default)]
pub struct Tally {
    /// Requests, each answered once, with what was asked for.
    pub answered: u64,
    /// What its scripts leave behind when they run.
    pub marks: Vec<String>,
}

/// A client by either way.
enum Voice<'a> {
    Jms(Client<'a>),
    Socket(Lines),
}

#[derive(Clone, Copy, PartialEq)]
enum Habit {
    Looks,
    Evaluates,
    Submits,
}

impl Voice<'_> {
    /// Asks in the neutral form; the answer, which is none but its own.
    fn ok(&mut self, op: &str, args: &Value, id: &str) -> Value {
        let request = json!({ "op": op, "args": args, "id": id });
        let answer = match self {
            Voice::Jms(client) => client.ask(&request),
            Voice::Socket(lines) => lines.ask(&request),
        };
        assert_eq!(answer["id"], id, "{request}: {answer}");
        assert!(answer.get("ok").is_some(), "{request}: {answer}");
        answer["ok"].clone()
    }
}

impl<'scope> Load<'scope> {
    /// Logs everybody in, and begins.
    pub fn start<'env>(scope: &'scope Scope<'scope, 'env>, trio: &'env Trio, trace: &Path) -> Self {
        let shared = Arc::<Shared>::default();
        let mut clients = Vec::new();
        for habit in [Habit::Looks, Habit::Evaluates, Habit::Submits] {
            for number in 0..OF_EACH {
                let name = format!("load-{}", clients.len());
                let voice = match number % 2 {
                    0 => Voice::Socket(trio.login()),
                    _ => Voice::Jms(trio.login_by_jms(&name)),
                };
                let one = One {
                    name,
                    voice,
                    habit,
                    shared: shared.clone(),
                    trace: trace.to_owned(),
                    tally: Tally::default(),
                };
                clients.push(scope.spawn(move || one.live()));
            }
        }
        Load { shared, clients }
    }

    /// Waits until that server answers them.
    pub fn reaches(&self, server: &str) {
        let times = || self.shared.by.lock().unwrap().get(server).copied();
        let before = times().unwrap_or(0);
        wait_until(&format!("answers of {server}"), || {
            (times()? >= before + 5).then_some(())
        });
    }

    /// Until [`Load::resume`] nobody submits or evaluates; those that look go on.
    pub fn rest(&self) {
        self.shared.calm.store(true, Ordering::SeqCst);
        wait_until("rest", || {
            (self.shared.resting.load(Ordering::SeqCst) == 2 * OF_EACH).then_some(())
        });
    }

    /// After [`Load::rest`].
    pub fn resume(&self) {
        self.shared.calm.store(false, Ordering::SeqCst);
    }

    /// Ends it; what became of all requests.
    pub fn end(mut self) -> Tally {
        self.shared.ends.store(true, Ordering::SeqCst);
        let mut all = Tally::default();
        for client in std::mem::take(&mut self.clients) {
            let tally = client.join().unwrap();
            all.answered += tally.answered;
            all.marks.extend(tally.marks);
        }
        all
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
    }
}

/// One client.
struct One<'a> {
    name: String,
    voice: Voice<'a>,
    habit: Habit,
    shared: Arc<Shared>,
    trace: PathBuf,
    tally: Tally,
}

impl One<'_> {
    fn live(mut self) -> Tally {
        while !self.shared.ends.load(Ordering::SeqCst) {
            if self.habit != Habit::Looks && self.shared.calm.load(Ordering::SeqCst) {
                self.rests();
                continue;
            }
            match self.habit {
                Habit::Looks => self.looks(),
                Habit::Evaluates => self.evaluates(),
                Habit::Submits => self.submits(),
            }
            std::thread::sleep(PACE);
        }
        // Nothing has come that nobody asked for.
        match &mut self.voice {
            Voice::Socket(lines) => {
                assert_eq!(lines.ask(&json!({"op": "ping", "id": "end"}))["id"], "end")
            }
            Voice::Jms(client) => drop(client.ask(&json!({"op": "ping", "args": {}}))),
        }
        self.tally
    }

    fn ask(&mut self, op: &str, args: &Value) -> Value {
        let id = format!("{}-{}", self.name, self.tally.answered);
        let answer = self.voice.ok(op, args, &id);
        self.tally.answered += 1;
        answer
    }

    fn looks(&mut self) {
        let status = self.ask("status", &json!({}));
        assert!(status["run"].is_string(), "{status}");
        let log = self.ask("log", &json!({"last": 3}));
        assert!(log["messages"].is_array(), "{log}");
    }

    fn evaluates(&mut self) {
        let text = format!("{} {}", self.name, self.tally.answered);
        let value = self.ask("eval", &json!({ "code": format!("'{text}'") }));
        assert_eq!(value["value"], *text);
        let banner = self.ask("banner", &json!({}));
        let server = banner["server"].as_str().unwrap().to_owned();
        *self.shared.by.lock().unwrap().entry(server).or_default() += 1;
    }

    /// One script at a time.
    fn submits(&mut self) {
        let mark = format!("{} {}", self.name, self.tally.answered);
        let code = format!(
            "with open({:?}, 'a') as trace:\n    _ = trace.write({:?})\n",
            self.trace,
            format!("{mark}\n")
        );
        self.ask("submit", &json!({ "name": self.name, "code": code }));
        wait_until(&mark, || {
            let trace = std::fs::read_to_string(&self.trace).unwrap_or_default();
            trace.lines().any(|line| line == mark).then_some(())
        });
        self.tally.marks.push(mark);
    }

    fn rests(&self) {
        let shared = &self.shared;
        shared.resting.fetch_add(1, Ordering::SeqCst);
        while shared.calm.load(Ordering::SeqCst) && !shared.ends.load(Ordering::SeqCst) {
            std::thread::sleep(PACE);
        }
        shared.resting.fetch_sub(1, Ordering::SeqCst);
    }
}

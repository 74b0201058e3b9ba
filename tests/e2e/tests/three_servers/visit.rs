//! What two clients see of a script at the server that is there at present: one of 2017, and one of the socket.

use crate::alike::without_others;
use patchbay_e2e::{Client, Lines, PATIENCE, Trio, wait_until};
use patchbay_servers::{Connect, Event, IbexEvent, IbexSees, IbexWhat};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The client of 2017, by its name in the Java process.
pub const IBEX: &str = "ibex";

/// The same at each server. It waits where it can be looked at. (NICOS refuses what reads `time.sleep`.)
const SCRIPT: &str = "\
import os, time as clock
with open(@TRACE@, 'a') as trace:
    _ = trace.write('@MARK@\\n')
print('first')
while not os.path.exists(@GATE@):
    clock.sleep(0.02)
for step in range(1, 4):
    print('step %d' % step)
print('grüße & <last>')
print('two', 'pieces')
";

/// The lines at which it waits.
const WAITS_AT: std::ops::RangeInclusive<i64> = 5..=6;

const FAILING: &str = "print('before')\nraise ValueError('on purpose')\nprint('after')\n";

/// The clients, which stay for all servers.
pub struct Clients<'a> {
    pub trio: &'a Trio,
    pub socket: Lines,
    /// Another JMS client, which looks as the present user interface does.
    pub onlooker: Client<'a>,
    /// Scripts leave a line each in it.
    pub trace: PathBuf,
}

/// What they have seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// What was asked when, and the answer.
    pub answers: Vec<(&'static str, Value)>,
    /// What the script printed.
    pub lines: Vec<String>,
    /// What befell it, by the events.
    pub states: Vec<Value>,
    /// Its id.
    pub job: String,
    /// What the server says that it can.
    pub capabilities: Value,
}

impl Seen {
    fn add(&mut self, what: &'static str, answer: Value) {
        self.answers.push((what, answer));
    }
}

impl<'a> Clients<'a> {
    /// Connects them.
    pub fn connect(trio: &'a Trio, trace: &Path) -> Clients<'a> {
        let mut socket = trio.login();
        socket.ok(json!({"op": "subscribe", "args": {"kinds": ["job", "log"]}}));
        trio.jms
            .ibex(IBEX, &Connect::to(trio.broker.openwire()))
            .unwrap();
        assert_eq!(accepted(trio).request.as_deref(), Some("authenticate"));
        Clients {
            trio,
            socket,
            onlooker: trio.login_by_jms("onlooker"),
            trace: trace.to_owned(),
        }
    }

    /// Has the script sent by the client of 2017, and looks at it from its beginning to its end.
    pub fn visit(&mut self, mark: &str) -> Seen {
        let mut seen = Seen {
            capabilities: self.ok("capabilities", json!({})),
            ..Seen::default()
        };
        self.look(&mut seen, &["getbanner", "getversion", "getmessages"]);
        seen.add("banner", self.ok("banner", json!({})));
        let (code, gate) = self.script(mark);
        let ibex = self.trio.jms.ibex_script(IBEX, "ScriptFromGUI", &code);
        ibex.unwrap();
        let answer = accepted(self.trio).text.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        seen.job = answer["payload"].as_str().unwrap().to_owned();
        seen.add("queue", answer);
        self.wait_until_running(&seen.job);
        self.look_while_it_runs(&mut seen);
        std::fs::write(gate, "").unwrap();
        seen.states = self.states(&seen.job);
        let ended = self.job(&seen.job);
        assert_eq!(ended["state"], "succeeded", "{ended}");
        seen.add("job that succeeded", ended);
        seen.lines = self.lines(&seen.job);
        self.look(&mut seen, &["getmessages"]);
        seen.add("log", self.ok("log", json!({"last": 50})));
        self.fail(&mut seen);
        seen
    }

    fn look_while_it_runs(&mut self, seen: &mut Seen) {
        let next = self.submit("next", "pass\n");
        self.look(seen, &["getstatus", "getscript"]);
        let status = self.ok("status", json!({}));
        assert_eq!(status["job"]["id"], *seen.job, "{status}");
        seen.add("status", status);
        seen.add("trace", self.ok("trace", json!({})));
        seen.add("job that runs", self.job(&seen.job));
        seen.add("job that waits", self.job(&next));
        let code = "[1, 'two', None, 4.5, {'six': True}]";
        seen.add("eval", self.ok("eval", json!({ "code": code })));
    }

    /// Submits the script by the socket, and waits until it waits; its job, and the file that lets it go on.
    pub fn begin(&mut self, mark: &str) -> (String, PathBuf) {
        let (code, gate) = self.script(mark);
        let job = self.submit(mark, &code);
        self.wait_until_running(&job);
        (job, gate)
    }

    fn script(&self, mark: &str) -> (String, PathBuf) {
        let gate = self.trace.with_file_name(format!("gate of {mark}"));
        let code = SCRIPT
            .replace("@TRACE@", &format!("{:?}", self.trace))
            .replace("@GATE@", &format!("{gate:?}"))
            .replace("@MARK@", mark);
        (code, gate)
    }

    fn fail(&mut self, seen: &mut Seen) {
        let failing = self.submit("failing", FAILING);
        let states = self.states(&failing);
        assert_eq!(states.last().unwrap()["outcome"], "failed", "{states:?}");
        seen.add("event of a failure", states.last().unwrap().clone());
        let record = self.job(&failing);
        assert_eq!(record["state"], "failed", "{record}");
        seen.add("job that failed", record);
        assert_eq!(self.lines(&failing), ["before"]);
        let error = self
            .messages(&failing)
            .into_iter()
            .find(|message| message["level"] == "error");
        let error = error.expect("what was raised is in the log");
        assert!(error.to_string().contains("ValueError"), "{error}");
        seen.add("its message", error);
        self.look(seen, &["getstatus"]);
        // Who runs and waits by now is somebody else.
        seen.add("status", without_others(self.ok("status", json!({}))));
    }

    /// Asks in NICOS's words, by JMS.
    fn look(&mut self, seen: &mut Seen, commands: &[&'static str]) {
        for command in commands {
            let request = json!({"command": command, "parameters": [50]});
            seen.add(command, self.onlooker.nicos(&request));
        }
    }

    /// Asks in neutral words, by the socket.
    fn ok(&mut self, op: &str, args: Value) -> Value {
        self.socket.ok(json!({ "op": op, "args": args }))
    }

    /// Which server answers.
    pub fn server(&mut self) -> String {
        let banner = self.ok("banner", json!({}));
        banner["server"].as_str().unwrap().to_owned()
    }

    fn submit(&mut self, name: &str, code: &str) -> String {
        let answer = self.ok("submit", json!({ "name": name, "code": code }));
        answer["job"].as_str().unwrap().to_owned()
    }

    /// What is known of a job.
    pub fn job(&mut self, job: &str) -> Value {
        self.ok("job", json!({ "job": job }))
    }

    /// Until the script is seen to wait.
    fn wait_until_running(&mut self, job: &str) {
        wait_until("a script that runs", || {
            let status = self.ok("status", json!({}));
            let now = &status["job"];
            let is_there = WAITS_AT.contains(&now["line"].as_i64()?);
            (status["run"] == "running" && now["id"] == job && is_there).then_some(())
        });
    }

    /// The job's events until it is finished.
    pub fn states(&mut self, job: &str) -> Vec<Value> {
        let events = self.socket.until_finished(job).into_iter();
        let events = events.filter(|event| event["kind"] == "job");
        events.map(|event| event["body"].clone()).collect()
    }

    fn messages(&mut self, job: &str) -> Vec<Value> {
        let log = self.ok("log", json!({"last": 1000, "fresh": true}));
        let messages = log["messages"].as_array().unwrap().iter();
        messages
            .filter(|message| message["job"] == job)
            .cloned()
            .collect()
    }

    /// What it has printed.
    fn lines(&mut self, job: &str) -> Vec<String> {
        let messages = self.messages(job).into_iter();
        let printed = messages.filter(|message| message["level"] == "info");
        printed
            .map(|message| message["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The next answer that the client of 2017 gets: it takes whatever it was for.
fn accepted(trio: &Trio) -> IbexEvent {
    let event = trio.jms.event(
        PATIENCE,
        |event| matches!(event, Event::Ibex(seen) if seen.what != IbexWhat::Sent),
    );
    let Some(Event::Ibex(event)) = event.unwrap() else {
        panic!("the client of 2017 gets no answer");
    };
    assert_eq!(event.what, IbexWhat::Answered, "{event:?}");
    let text = event.text.as_deref().unwrap();
    assert_eq!(IbexSees::of_answer(text), IbexSees::Accepted, "{text}");
    event
}

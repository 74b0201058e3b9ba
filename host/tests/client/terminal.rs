//! Ctrl-C at a terminal before the gateway has answered a submit.

use crate::peer::{Peer, Request, Talk};
use crate::person::{Person, interrupt};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a test waits for anything before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

const QUESTION: &str = "Stop the script [s], only stop watching [w], or go on [Enter]?";

/// A client at a terminal, with the other end of the terminal.
struct Seat {
    child: Child,
    keyboard: File,
    screen: Receiver<String>,
    /// What was shown since it was looked for something last.
    shown: String,
}

impl Seat {
    fn take(person: &Person, address: &str, words: &[&str]) -> Seat {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let outer = openpt(flags).unwrap();
        grantpt(&outer).unwrap();
        unlockpt(&outer).unwrap();
        let inner = || Stdio::from(ioctl_tiocgptpeer(&outer, flags).unwrap());
        let known = ["--user", "anna", "--password-file", "password"];
        let mut command = person.command(address, &[&known, words].concat());
        command.stdin(inner()).stdout(inner()).stderr(inner());
        let child = command.spawn().unwrap();
        let keyboard = File::from(outer);
        let mut output = keyboard.try_clone().unwrap();
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It fails when nobody has the terminal any more.
            while let Ok(count) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                if tell.send(text).is_err() {
                    return;
                }
            }
        });
        Seat {
            child,
            keyboard,
            screen,
            shown: String::new(),
        }
    }

    fn press_ctrl_c(&self) {
        interrupt(&self.child);
    }

    fn type_line(&mut self, text: &str) {
        writeln!(self.keyboard, "{text}").unwrap();
    }

    /// Waits until this is shown.
    fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let more = self.screen.recv_timeout(PATIENCE);
            self.shown += &more.unwrap_or_else(|_| panic!("no `{text}` in {}", self.shown));
        }
        self.shown.clear();
    }

    /// Waits until it has ended so; the rest of what was shown.
    fn ended(mut self, status: i32) -> String {
        // Only the client holds the terminal, so that its end is the end of what is shown.
        let rest: String = self.screen.iter().collect();
        let shown = self.shown + &rest;
        assert_eq!(self.child.wait().unwrap().code(), Some(status), "{shown}");
        shown
    }
}

/// A submit that is not answered, and somebody who has pressed Ctrl-C meanwhile.
fn asked(peer: &Peer, person: &Person, words: &[&str]) -> (Seat, Talk, Request) {
    let mut seat = Seat::take(person, &peer.address(), words);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let submit = talk.expect("submit");
    seat.press_ctrl_c();
    seat.wait_for(QUESTION);
    (seat, talk, submit)
}

fn status(run: &str, running: Option<&str>) -> Value {
    let job = running.map(|id| json!({"id": id, "name": "scan.py", "body": "", "line": 1}));
    json!({"link": "up", "run": run, "job": job, "queue": []})
}

#[test]
fn it_is_stopped_as_soon_as_its_id_is_known() {
    for words in [
        &["submit", "scan.py"][..],
        &["submit", "--queue", "scan.py"],
    ] {
        let (peer, person) = (Peer::new(), Person::new());
        let (mut seat, mut talk, submit) = asked(&peer, &person, words);
        seat.type_line("s");
        seat.wait_for("as soon as the gateway says its id");
        talk.ok(&submit, &json!({"job": "a"}));
        talk.answer("status", &status("running", Some("another")));
        let remove = talk.answer("remove", &Value::Null);
        assert_eq!(remove.args, json!({"job": "a"}), "nobody else's is stopped");
        talk.answer("status", &status("running", Some("another")));
        talk.job(11, "a", "removed");
        assert!(seat.ended(4).contains("was removed"));
    }
}

#[test]
fn one_that_runs_already_is_stopped_too() {
    let (peer, person) = (Peer::new(), Person::new());
    let (mut seat, mut talk, submit) = asked(&peer, &person, &["submit", "scan.py"]);
    seat.type_line("s");
    talk.ok(&submit, &json!({"job": "a"}));
    talk.answer("status", &status("running", Some("a")));
    let stop = talk.answer("stop", &Value::Null);
    assert_eq!(stop.args, json!({"at": "now"}));
    talk.answer("status", &status("running", Some("a")));
    talk.finished(11, "a", "failed");
    assert!(seat.ended(4).contains("was stopped"));
}

#[test]
fn whoever_only_stops_watching_is_told_the_key_and_where_to_look() {
    let (peer, person) = (Peer::new(), Person::new());
    let (mut seat, _talk, submit) = asked(&peer, &person, &["submit", "scan.py"]);
    seat.type_line("w");
    let shown = seat.ended(130);
    assert!(shown.contains(&submit.key.unwrap()), "{shown}");
    assert!(shown.contains("patchbay client status"), "{shown}");

    let (seat, _talk, _) = asked(&peer, &person, &["submit", "scan.py"]);
    seat.press_ctrl_c();
    seat.ended(130);
}

#[test]
fn whoever_goes_on_gets_the_answer() {
    let (peer, person) = (Peer::new(), Person::new());
    let (mut seat, mut talk, submit) = asked(&peer, &person, &["submit", "scan.py"]);
    seat.type_line("what?");
    seat.wait_for(QUESTION);
    talk.ok(&submit, &json!({"job": "a"}));
    seat.type_line("");
    talk.located();
    talk.finished(11, "a", "succeeded");
    assert!(seat.ended(0).contains("scan.py succeeded"));
}

#[test]
fn it_is_the_same_while_the_connection_is_broken() {
    let (peer, person) = (Peer::new(), Person::new());
    let mut seat = Seat::take(&person, &peer.address(), &["submit", "scan.py"]);
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let first = talk.expect("submit");
    drop(talk);
    // The next connection is taken, and nobody greets there.
    let silent = peer.accept();
    seat.press_ctrl_c();
    drop(silent);
    seat.wait_for(QUESTION);
    seat.type_line("");
    let mut talk = peer.welcome();
    talk.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
    let again = talk.answer("submit", &json!({"job": "a"}));
    assert_eq!(first.key, again.key);
    talk.located();
    talk.finished(11, "a", "succeeded");
    seat.ended(0);
}

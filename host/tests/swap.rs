//! Newer builds of plugins take over in a gateway that runs; and everything that can be swapped is, a hundred times,
//! while fifty clients ask all the time.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod site;

use patchbay_testkit::build;
use serde_json::{Value, json};
use site::{Client, Gateway};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const CONFIG: &str = r#"
[gateway]
name = "here"
plugin_path = ["."]
shutdown_deadline_s = 60
[[backend]]
id = "one"
plugin = "rogue"
config = { mark = "@ONE@" }
[[backend]]
id = "two"
plugin = "rogue"
config = { mark = "@TWO@" }
[[frontend]]
id = "local"
plugin = "socket"
backend = "one"
[frontend.config]
unix = "@SOCKET@"
"#;

fn config(one: &str, two: &str) -> String {
    CONFIG.replace("@ONE@", one).replace("@TWO@", two)
}

fn gateway() -> Gateway {
    Gateway::start(&["rogue", "socket"], &config("one", "two"))
}

/// Which backend answers, and of which build it is.
fn who(client: &mut Client) -> (String, String) {
    said_by(&client.ask(&json!({"op": "status", "args": {}})))
}

fn said_by(answer: &Value) -> (String, String) {
    let text = |value: &Value| {
        value
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    };
    (text(&answer["ok"]["by"]), text(&answer["ok"]["build"]))
}

fn pair(by: &str, build: usize) -> (String, String) {
    (by.to_owned(), format!("build {build:04}"))
}

#[test]
fn a_newer_build_takes_over_while_the_former_one_finishes() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    let mut slow = Client::login_as(&gateway.socket(), "user");
    assert_eq!(who(&mut client), pair("one", 0));
    slow.send(&json!({"op": "eval", "args": {"code": "sleep 1000"}}));
    gateway.wait("it is under way", |gateway| {
        let said = gateway.say(&["sessions", "--json"]).unwrap();
        said.contains("\"in_flight\":1").then_some(())
    });
    gateway.install_rogue(1);
    let said = gateway.say(&["plugin", "reload", "rogue"]).unwrap();
    for id in ["one", "two"] {
        assert!(
            said.contains(&format!("backend `{id}`: the newer build")),
            "{said}"
        );
    }
    assert_eq!(who(&mut client), pair("one", 1));
    assert_eq!(slow.line(), json!({"ok": null}), "the former one answers");
    assert_eq!(who(&mut slow), pair("one", 1));
    // What comes later is of the newer build, too.
    gateway.configure(&config("1st", "two"));
    gateway.say(&["reload"]).unwrap();
    assert_eq!(who(&mut client), pair("1st", 1));
    gateway.install_rogue(2);
    gateway.say(&["plugin", "reload", "rogue"]).unwrap();
    assert_eq!(who(&mut client), pair("1st", 2));
}

#[test]
fn what_is_no_newer_build_changes_nothing_and_is_said() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    let reload = |plugin: &str| gateway.say(&["plugin", "reload", plugin]).unwrap_err();
    assert!(reload("rogue").contains("is the build that runs already"));
    gateway.install_rogue(0);
    assert!(reload("rogue").contains("is the build that runs already"));
    let why = reload("rouge");
    assert!(
        why.contains("the plugins in use are: rogue, socket"),
        "{why}"
    );

    let file = gateway.folder.path().join(build::file_name("rogue"));
    let replace = |bytes: &[u8]| {
        let beside = gateway.folder.path().join("new");
        std::fs::write(&beside, bytes).unwrap();
        std::fs::rename(&beside, &file).unwrap();
    };
    replace(b"no library at all");
    assert!(reload("rogue").contains("is no shared library"));
    let other_role = std::fs::read(build::plugin("socket")).unwrap();
    replace(&other_role);
    assert!(reload("rogue").contains("was a backend, and is a frontend now"));
    std::fs::remove_file(&file).unwrap();
    assert!(reload("rogue").contains("cannot be read"));
    assert_eq!(who(&mut client), pair("one", 0));
    // And none of that is in the way of one that is right.
    gateway.install_rogue(3);
    gateway.say(&["plugin", "reload", "rogue"]).unwrap();
    assert_eq!(who(&mut client), pair("one", 3));
}

#[test]
fn a_file_that_was_overwritten_in_place_is_refused() {
    // Of a plugin that no instance's process runs any code of in this test: what happens to one whose
    // code changes under it, nobody can say.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(build::file_name("rogue"));
    std::fs::write(&file, site::rogue(1)).unwrap();
    let loaded = patchbay::plugin::Plugin::load(&file, &patchbay::plugin::Trust::Any).unwrap();
    append(&file, b"more");
    let why = loaded
        .load_newer(&patchbay::plugin::Trust::Any)
        .unwrap_err();
    assert!(why.contains("overwritten in place"), "{why}");
}

/// Writes behind what a file holds; what is loaded of it stays as it is.
fn append(file: &Path, bytes: &[u8]) {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_frontend_of_a_newer_build_is_stopped_and_started_anew() {
    let gateway = gateway();
    let mut client = Client::login_as(&gateway.socket(), "user");
    let name = build::file_name("socket");
    let (file, beside) = (
        gateway.folder.path().join(&name),
        gateway.folder.path().join("new"),
    );
    std::fs::copy(&file, &beside).unwrap();
    append(&beside, b"another build");
    std::fs::rename(&beside, &file).unwrap();
    let said = gateway.say(&["plugin", "reload", "socket"]).unwrap();
    assert!(said.contains("its clients have to connect again"), "{said}");
    let mut again = Client::login_as(&gateway.socket(), "user");
    assert_eq!(who(&mut again), pair("one", 0));
    assert!(client.is_at_end(), "the former one is gone");
}

/// What answers, from the moment at which the operator began to change it until the next change was done.
struct Era {
    begins: Instant,
    answers: (String, String),
}

/// All eras; the last one has not ended.
#[derive(Default)]
struct History(Mutex<Vec<(Era, Option<Instant>)>>);

impl History {
    fn begin(&self, by: &str, build: usize) {
        let era = Era {
            begins: Instant::now(),
            answers: pair(by, build),
        };
        self.0.lock().unwrap().push((era, None));
    }

    /// The change is done: the era before the last one is over.
    fn done(&self) {
        let mut eras = self.0.lock().unwrap();
        let before = eras.len() - 2;
        eras[before].1 = Some(Instant::now());
    }

    /// Whether a request between these moments may have had that answer.
    fn allows(&self, asked: Instant, told: Instant, answers: &(String, String)) -> bool {
        let eras = self.0.lock().unwrap();
        eras.iter().any(|(era, end)| {
            era.answers == *answers && era.begins <= told && end.is_none_or(|end| end >= asked)
        })
    }
}

/// Asks until it is told to stop, and holds each answer against what could have answered; how often.
fn ask_on(socket: &Path, number: usize, stop: &AtomicBool, history: &History) -> u64 {
    let mut client = Client::login_as(socket, "user");
    let mut asked = 0;
    while !stop.load(Ordering::Relaxed) {
        asked += 1;
        let args = json!({"client": number, "n": asked});
        let begun = Instant::now();
        let answer = client.ask(&json!({"op": "status", "args": args, "id": asked}));
        let told = Instant::now();
        // Its own answer, once: one that came twice would be taken for that of the next.
        assert_eq!(
            (&answer["id"], &answer["ok"]["asked"]),
            (&json!(asked), &args),
            "{answer}"
        );
        let by = said_by(&answer);
        assert!(
            history.allows(begun, told, &by),
            "not to be answered by {by:?}"
        );
    }
    asked
}

/// What an operator has made of the gateway.
struct Operator<'a> {
    gateway: &'a Gateway,
    config: &'a dyn Fn(&str, &str) -> String,
    history: &'a History,
    marks: [String; 2],
    to: usize,
    build: usize,
}

impl Operator<'_> {
    /// Makes one of all kinds of changes, in turn.
    fn swap(&mut self, round: usize) {
        match round % 5 {
            0 | 3 => {
                self.to = 1 - self.to;
                self.change(&["route", "local", ["one", "two"][self.to]]);
            }
            1 => {
                self.marks[self.to] = format!("{}-{round}", ["one", "two"][self.to]);
                let [one, two] = &self.marks;
                self.gateway.configure(&(self.config)(one, two));
                self.change(&["reload"]);
            }
            2 => {
                self.build = round;
                self.gateway.install_rogue(round);
                self.change(&["plugin", "reload", "rogue"]);
            }
            _ => self.change(&["restart", ["one", "two"][self.to]]),
        }
    }

    fn change(&self, words: &[&str]) {
        self.history.begin(&self.marks[self.to], self.build);
        self.gateway.say(words).unwrap();
        self.history.done();
    }
}

#[test]
fn under_load_a_hundred_swaps_of_all_kinds_lose_double_and_misdirect_nothing() {
    swap_under_load(&config);
}

#[test]
fn nor_where_every_instance_is_isolated() {
    swap_under_load(&|one, two| {
        let config = config(one, two);
        config.replace("plugin =", "isolation = \"process\"\nplugin =")
    });
}

fn swap_under_load(config: &dyn Fn(&str, &str) -> String) {
    let gateway = Gateway::start(&["rogue", "socket"], &config("one", "two"));
    let (stop, history, socket) = (AtomicBool::new(false), History::default(), gateway.socket());
    history.begin("one", 0);
    let asked: u64 = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..50)
            .map(|number| {
                let (socket, stop, history) = (&socket, &stop, &history);
                scope.spawn(move || ask_on(socket, number, stop, history))
            })
            .collect();
        let mut operator = Operator {
            gateway: &gateway,
            config,
            history: &history,
            marks: ["one".to_owned(), "two".to_owned()],
            to: 0,
            build: 0,
        };
        let swapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..100).for_each(|round| operator.swap(round));
        }));
        stop.store(true, Ordering::Relaxed);
        let asked = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum();
        swapped.unwrap();
        asked
    });
    println!("{asked} requests");
    assert!(asked > 500, "only {asked} requests were sent meanwhile");
}

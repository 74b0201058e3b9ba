//! Each way in which a backend can fail the suite: by the rogue's own deeds, and by somebody between it and the host.

mod between;

use patchbay_testkit::conformance::{self, BackendSuite, Peer};
use patchbay_testkit::{Plugin, build};
use serde_json::{Value, json};
use std::time::Duration;

/// One way, and the requirements that fail by it.
pub struct Misdeed {
    pub what: &'static str,
    pub suite: BackendSuite,
    pub fails: Vec<&'static str>,
}

/// A script of which the truth is told.
const HONEST: &str = "tale: queued started succeeded";

/// What is waited for in vain takes as long; a busy machine needs some.
const PATIENCE: Duration = Duration::from_secs(20);

/// For those that do not stop.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// A server that is neither taken away nor given back.
struct Nothing;

impl Peer for Nothing {
    async fn take_away(&self) {}

    async fn give_back(&self) {}
}

/// As the rogue does it by itself.
fn own(what: &'static str, config: Value, fails: &[&'static str]) -> Misdeed {
    by(what, rogue(), config, fails)
}

fn by(what: &'static str, plugin: Plugin, config: Value, fails: &[&'static str]) -> Misdeed {
    let suite = conformance::backend_of(what, plugin, config);
    Misdeed {
        what,
        suite: suite.patience(PATIENCE).stop_within(STOP_WITHIN),
        fails: fails.to_vec(),
    }
}

/// From its file: what it says past the SDK goes by the function that this exports.
fn rogue() -> Plugin {
    Plugin::file(&build::folder().join(build::file_name("rogue")))
}

fn eval(deed: &str) -> Value {
    json!({ "code": deed })
}

impl Misdeed {
    fn with(mut self, say: impl FnOnce(BackendSuite) -> BackendSuite) -> Self {
        self.suite = say(self.suite);
        self
    }

    /// With what a test says of a backend that does everything as it should.
    fn like_a_good_one(self) -> Self {
        self.with(|suite| {
            suite
                .says(|text| ("status".into(), json!({ "text": text })))
                .slow_request("eval", eval("hang"))
                .script(HONEST)
                .failing_script("tale: queued started failed")
        })
    }
}

/// All of them.
pub fn misdeeds() -> Vec<Misdeed> {
    // Once, for all of them.
    build::package("patchbay-rogue");
    let parts = [lives(), logins(), requests(), jobs(), between::misdeeds()];
    parts.into_iter().flatten().collect()
}

fn lives() -> Vec<Misdeed> {
    let start = |how: &str| json!({ "start": how });
    let stop = |how: &str| json!({ "stop": how });
    let well = own("nothing at all", json!({}), &[]).like_a_good_one();
    let stop_hangs = own("stop hangs", stop("hang"), &["A4", "B11"]);
    let stop_blocks = own("stop blocks", stop("block"), &["A4", "A6", "B11"]);
    vec![
        well,
        own("start fails", start("fail"), &["A2"]),
        own("start panics", start("panic"), &["A2"]),
        own("start hangs", start("hang"), &["A2"]),
        own("start blocks", start("block"), &["A2", "A6"]),
        stop_hangs.with(|suite| suite.slow_request("eval", eval("hang"))),
        stop_blocks.with(|suite| suite.slow_request("eval", eval("hang"))),
        // Contained by the SDK.
        own("stop panics", stop("panic"), &[]),
        own("stop fails", stop("fail"), &[]),
        own("there is no such peer", json!({}), &["A15", "A16", "B21"])
            .with(|suite| suite.script(HONEST).peer(Nothing)),
    ]
}

fn logins() -> Vec<Misdeed> {
    let login = |how: &str| json!({ "login": how });
    let logout = |how: &str| json!({ "logout": how });
    vec![
        own("a login fails", login("fail"), &["B1"]),
        own("a login panics", login("panic"), &["B1", "B3", "B15"]),
        own("a login hangs", login("hang"), &["B1", "B3"]),
        own(
            "a login blocks",
            login("block"),
            &["A3", "A4", "A6", "B1", "B3"],
        ),
        own("a logout hangs", logout("hang"), &[]),
        own("a logout panics", logout("panic"), &[]),
        own("a logout blocks", logout("block"), &["A4", "A6", "B4"]),
        own("whoever comes gets in", json!({}), &["B2"])
            .with(|suite| suite.wrong_login("anna", "wrong password")),
    ]
}

fn requests() -> Vec<Misdeed> {
    let asked = |what, deed: &str, fails: &[&'static str]| {
        own(what, json!({}), fails).with(|suite| suite.request("eval", eval(deed)))
    };
    let once = |what, deed: &str, fails: &[&'static str]| {
        own(what, json!({}), fails).with(|suite| suite.slow_request("eval", eval(deed)))
    };
    vec![
        asked("a request panics", "panic", &["B14", "B15"]),
        asked("a drop panics", "panic in drop", &["B14", "B15"]),
        // Contained by the SDK.
        asked("a task panics", "panic in task", &[]),
        asked("a request hangs", "hang", &["B5", "B14"]),
        asked(
            "a request blocks",
            "block 3600000",
            &["A3", "A4", "A6", "B5", "B14"],
        ),
        asked("it fails", "fail", &["A12"]),
        asked("it answers twice", "say twice", &["B5"]),
        asked("it answers nobody", "say stranger", &["B5"]),
        asked("it forges", "forge 3", &["B5"]),
        asked("no head", "say headless", &["A9", "B5", "B14"]),
        asked("no JSON", "say no-json", &["A9", "B5"]),
        asked("a newline", "say newline", &["A9", "B5"]),
        asked("no text", "say no-text", &["A9", "B5"]),
        // Of a newer plugin: to be ignored.
        asked("an unknown kind", "say no-kind", &[]),
        asked("it speaks as a frontend", "say frontends", &["A9", "A10"]),
        asked("a broken event", "say no-event", &["A9"]),
        asked("it is ready again", "say ready-again", &["A2"]),
        asked("it says that it has stopped", "say stopped", &["A5", "A12"]),
        once("events without end", "flood 25000", &["A14"]),
        once("lines without end", "chatter 25000", &["A14"]),
        once("states without end", "flap 15000", &["A14"]),
        once("an answer that is too large", "big 17000000", &["A14"]),
        once(
            "one holds up all",
            "block 3600000",
            &["A3", "A4", "A6", "B9", "B10", "B11"],
        ),
        own(
            "it boasts",
            json!({"boasts": {"ops": {"eval": {"unsupported": "not today"}}}}),
            &["B7"],
        ),
    ]
}

fn jobs() -> Vec<Misdeed> {
    let script = |what, code: &'static str, fails: &[&'static str]| {
        own(what, json!({}), fails).with(|suite| suite.script(code))
    };
    vec![
        script("a script is no script", "print(1)", &["B16", "B18", "B20"]),
        script(
            "a job ends before it begins",
            "tale: queued succeeded started",
            &["B16"],
        ),
        script(
            "a job ends twice",
            "tale: queued started succeeded succeeded",
            &["B16"],
        ),
        script("a job is never queued", "tale: started succeeded", &["B16"]),
        script(
            "a job that succeeds fails",
            "tale: queued started failed",
            &["B16"],
        ),
        script(
            "jobs overtake each other",
            "tale: halting queued started succeeded",
            &["B18"],
        ),
        script(
            "all jobs are one",
            "tale: same queued started succeeded",
            &["B16", "B20"],
        ),
        own("a failure is a success", json!({}), &["B17"])
            .with(|suite| suite.failing_script(HONEST)),
        own("nothing stops", json!({}), &["B19"])
            .with(|suite| suite.long_script("tale: queued started")),
    ]
}

//! What frontends do wrong, the conformance suite finds; and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "../../socket/tests/support/mod.rs"]
mod support;

mod between;
mod clients;

use clients::Nobody;
use futures_util::future::join_all;
use patchbay_testkit::conformance::{self, FrontendSuite, Protocol, Report};
use patchbay_testkit::{Plugin, build};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use support::lines::Lines;

/// What is waited for in vain takes as long; a busy machine needs some.
const PATIENCE: Duration = Duration::from_secs(20);

/// For those that do not stop.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// One way to fail, and the requirements that fail by it.
struct Misdeed {
    what: &'static str,
    run: Pin<Box<dyn Future<Output = Report>>>,
    fails: Vec<&'static str>,
    /// These may fail or not.
    perhaps: Vec<&'static str>,
}

impl Misdeed {
    /// It is chance what it is told, and whether a client is there, before it gives up by itself.
    fn or_ends_sooner(mut self) -> Self {
        self.perhaps = vec!["A4", "A8", "A13"];
        self
    }
}

fn misdeed<P: Protocol>(
    what: &'static str,
    suite: FrontendSuite<P>,
    fails: &[&'static str],
) -> Misdeed {
    let suite = suite.patience(PATIENCE).stop_within(STOP_WITHIN);
    Misdeed {
        what,
        run: Box::pin(suite.run()),
        fails: fails.to_vec(),
        perhaps: Vec::new(),
    }
}

/// As the rogue door does it by itself, from its file: two plugins cannot be linked into one test. Nobody gets in by it in
/// any case.
fn own(what: &'static str, config: Value, fails: &[&'static str]) -> Misdeed {
    let plugin = Plugin::file(&build::folder().join(build::file_name("rogue-door")));
    let suite = conformance::frontend_of(what, plugin, config, Nobody);
    misdeed(what, suite, fails)
}

/// As a good frontend does it with somebody between it and the host.
fn by(what: &'static str, plugin: Plugin, fails: &[&'static str]) -> Misdeed {
    by_clients(what, plugin, |lines| lines, fails)
}

fn by_clients<P: Protocol>(
    what: &'static str,
    plugin: Plugin,
    clients: impl FnOnce(Lines) -> P,
    fails: &[&'static str],
) -> Misdeed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let suite =
        conformance::frontend_of(what, plugin, json!({ "unix": path }), clients(Lines(path)));
    let misdeed = misdeed(what, suite, fails);
    let run = Box::pin(async move {
        let report = misdeed.run.await;
        drop(folder);
        report
    });
    Misdeed { run, ..misdeed }
}

fn misdeeds() -> Vec<Misdeed> {
    // Once, for all of them.
    build::package("patchbay-rogue-door");
    let start = |how: &str| json!({ "start": how });
    let then = |what: &str| json!({ "then": what });
    let stop = |how: &str| json!({ "stop": how });
    let own = [
        own("nobody gets in", json!({}), &["F1"]),
        own("start fails", start("fail"), &["A2"]),
        own("start panics", start("panic"), &["A2"]),
        own("start hangs", start("hang"), &["A2"]),
        own("start blocks", start("block"), &["A2", "A6"]),
        own(
            "it blocks",
            then("block"),
            &["A3", "A4", "A6", "A8", "A13", "F1"],
        ),
        own("it panics", then("panic"), &["A3", "A12", "F1"]).or_ends_sooner(),
        own("it returns", then("return"), &["A3", "A12", "F1"]).or_ends_sooner(),
        own("it hoards", then("hoard"), &["F1"]),
        own("stop fails", stop("fail"), &["A4", "F1"]),
        own("stop panics", stop("panic"), &["A4", "F1"]),
        own("stop hangs", stop("hang"), &["A4", "F1"]),
        own("stop blocks", stop("block"), &["A4", "A6", "F1"]),
    ];
    own.into_iter().chain(between::misdeeds()).collect()
}

#[tokio::test]
async fn each_misdeed_fails_the_requirements_that_it_should_and_no_other() {
    let (mut runs, mut expected) = (Vec::new(), Vec::new());
    for misdeed in misdeeds() {
        expected.push((misdeed.what, misdeed.fails, misdeed.perhaps));
        runs.push(misdeed.run);
    }
    let mut wrong = String::new();
    for (report, (what, fails, perhaps)) in join_all(runs).await.iter().zip(expected) {
        let failed = report.failed().into_iter();
        let failed: BTreeSet<_> = failed.filter(|id| !perhaps.contains(id)).collect();
        if failed != fails.iter().copied().collect() {
            wrong.push_str(&format!("\n== {what}: expected {fails:?}\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What both sides have in common is shown by the rogue, as far as it is not here.
#[test]
fn no_requirement_of_frontends_alone_cannot_fail() {
    let failed = misdeeds().into_iter().flat_map(|misdeed| misdeed.fails);
    let failed: BTreeSet<_> = failed.filter(|id| id.starts_with('F')).collect();
    let of_page = conformance::of_frontends::<Lines>().into_iter();
    assert_eq!(failed, of_page.filter(|id| id.starts_with('F')).collect());
}

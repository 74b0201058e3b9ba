//! What it does wrong, the conformance suite finds; and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod misdeeds;

use futures_util::future::join_all;
use misdeeds::misdeeds;
use patchbay_testkit::conformance;
use std::collections::BTreeSet;

#[tokio::test]
async fn each_misdeed_fails_the_requirements_that_it_should_and_no_other() {
    let (mut suites, mut expected) = (Vec::new(), Vec::new());
    for misdeed in misdeeds() {
        expected.push((misdeed.what, misdeed.fails));
        suites.push(misdeed.suite.run());
    }
    let mut wrong = String::new();
    for (report, (what, fails)) in join_all(suites).await.iter().zip(expected) {
        let failed: BTreeSet<_> = report.failed().into_iter().collect();
        if failed != fails.iter().copied().collect() {
            wrong.push_str(&format!("\n== {what}: expected {fails:?}\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_requirement_of_backends_cannot_fail() {
    let failed: BTreeSet<_> = misdeeds()
        .into_iter()
        .flat_map(|misdeed| misdeed.fails)
        .collect();
    let of_page: BTreeSet<_> = conformance::of_backends().into_iter().collect();
    assert_eq!(failed, of_page);
}

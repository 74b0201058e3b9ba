//! What the job table makes of daemons that never say how a script has ended.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the jobs are shared"
)]

#[path = "common/jobs.rs"]
mod common;

use common::{busy, request, snapshot, state, told};
use patchbay_nicos::jobs::Jobs;
use patchbay_sdk::model::JobState;

/// Jobs of a daemon that never says `done`, of which one runs.
fn unsaid() -> Jobs {
    let mut jobs = busy();
    jobs.set_says_done(false);
    jobs
}

#[test]
fn without_a_word_of_the_end_the_next_start_is_the_end_and_its_outcome_is_not_known() {
    let mut jobs = unsaid();
    jobs.status((0, 1));
    jobs.status((-1, -1));
    assert_eq!(
        told(jobs.started(&request("b"), 2.0)),
        ["b started", "a Unknown"]
    );
}

#[test]
fn without_a_word_of_the_end_a_failure_is_that_of_the_last_idle_status() {
    let mut jobs = unsaid();
    jobs.status((0, 1));
    jobs.status((-2, -1));
    let notices = jobs.started(&request("b"), 2.0);
    assert!(told(notices).contains(&"a Failed".to_owned()));
    // The next one ends without a sound; what the one before did is not its fault.
    let notices = jobs.started(&request("c"), 3.0);
    assert!(told(notices).contains(&"b Unknown".to_owned()));
}

#[test]
fn a_job_is_in_doubt_only_while_a_daemon_that_says_no_ends_is_idle() {
    let mut jobs = unsaid();
    jobs.link_up();
    jobs.status((0, 1));
    assert!(!jobs.is_doubtful());
    jobs.status((-1, -1));
    assert!(jobs.is_doubtful());
    jobs.set_says_done(true);
    assert!(!jobs.is_doubtful());
}

#[test]
fn what_looks_do_not_show_any_more_has_failed_if_the_daemon_is_idle_after_a_failure() {
    for (code, outcome) in [(-2, JobState::Failed), (-1, JobState::Unknown)] {
        let mut jobs = unsaid();
        jobs.status((code, -1));
        let before = jobs.live();
        jobs.settle(&before, &snapshot((code, -1), &[], None, false), 2.0);
        assert_eq!(state(&jobs, "a"), outcome);
    }
}

/// What a look that shows an idle daemon makes of the jobs.
fn looked(jobs: &mut Jobs, code: i64) {
    let before = jobs.live();
    let look = snapshot((code, -1), &[], None, false);
    jobs.resync(&look, 3.0);
    jobs.settle(&before, &look, 3.0);
}

#[test]
fn the_failure_of_the_job_before_is_not_that_of_one_that_changes_no_status() {
    let mut jobs = unsaid();
    jobs.status((-2, -1));
    // Only comments, say: nothing is executed, so the daemon stays idle after the failure of the job before.
    jobs.started(&request("b"), 2.0);
    looked(&mut jobs, -2);
    assert_eq!(
        (state(&jobs, "a"), state(&jobs, "b")),
        (JobState::Failed, JobState::Unknown)
    );
}

#[test]
fn a_failure_that_happened_while_the_link_was_lost_is_nobodys() {
    let mut jobs = unsaid();
    jobs.link_down();
    looked(&mut jobs, -2);
    assert_eq!(
        (state(&jobs, "a"), state(&jobs, "b")),
        (JobState::Unknown, JobState::Unknown)
    );
}

#[test]
fn a_failure_is_not_that_of_a_job_that_waited_and_is_gone() {
    let mut jobs = unsaid();
    jobs.status((-2, -1));
    jobs.link_down();
    looked(&mut jobs, -2);
    assert_eq!(
        (state(&jobs, "a"), state(&jobs, "b")),
        (JobState::Failed, JobState::Unknown)
    );
}

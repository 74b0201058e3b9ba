//! What the job table makes of events, replies and snapshots in whatever order they come.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the jobs are shared"
)]

#[path = "common/jobs.rs"]
mod common;

use common::{busy, ended, request, snapshot, state, told};
use patchbay_nicos::jobs::Jobs;
use patchbay_nicos::shape::Request;
use patchbay_sdk::model::{JobState, Run};

#[test]
fn a_job_is_announced_once_whether_the_reply_or_the_event_comes_first() {
    for reply_first in [true, false] {
        let mut jobs = Jobs::new(10);
        if reply_first {
            jobs.submitted(&request("a"));
        }
        assert_eq!(told(jobs.queued(&request("a"))), ["a queued"]);
        jobs.submitted(&request("a"));
        assert_eq!(told(jobs.queued(&request("a"))), [""; 0]);
        assert_eq!(state(&jobs, "a"), JobState::Queued);
    }
}

#[test]
fn a_reply_that_comes_after_the_end_changes_nothing() {
    let mut jobs = Jobs::new(10);
    assert_eq!(
        told(jobs.started(&request("a"), 1.0)),
        ["a queued", "a started"]
    );
    assert_eq!(told(jobs.done(&ended("a", true), 2.0)), ["a Succeeded"]);
    jobs.submitted(&request("a"));
    assert_eq!(told(jobs.started(&request("a"), 3.0)), [""; 0]);
    assert_eq!(state(&jobs, "a"), JobState::Succeeded);
}

#[test]
fn an_idle_status_does_not_end_a_job() {
    let mut jobs = busy();
    for status in [(-1, 2), (-1, -1), (-2, -1)] {
        assert_eq!(told(jobs.status(status)), [""; 0]);
        assert_eq!(jobs.run(status.0), Run::Running);
    }
    jobs.done(&ended("a", false), 2.0);
    assert_eq!(
        (state(&jobs, "a"), jobs.run(-2)),
        (JobState::Failed, Run::IdleAfterFailure)
    );
}

#[test]
fn pausing_and_resuming_are_told_of_the_running_job() {
    let mut jobs = busy();
    assert_eq!(told(jobs.status((1, 1))), ["a paused"]);
    assert_eq!(told(jobs.status((1, 1))), [""; 0]);
    assert_eq!(told(jobs.status((0, 1))), ["a resumed"]);
}

#[test]
fn an_emergency_stop_while_nothing_runs_is_no_job() {
    let mut jobs = Jobs::new(10);
    let emergency = Request {
        reqid: "e".into(),
        user: Some("u".into()),
        ..Request::default()
    };
    assert_eq!(told(jobs.queued(&emergency)), [""; 0]);
    assert!(jobs.get("e").is_none());
}

#[test]
fn only_waiting_jobs_are_removed() {
    let mut jobs = busy();
    assert_eq!(
        told(jobs.removed(&["a".into(), "b".into(), "c".into()], 2.0)),
        ["b removed"]
    );
    assert_eq!(
        (state(&jobs, "a"), state(&jobs, "b")),
        (JobState::Running, JobState::Removed)
    );
}

#[test]
fn after_a_restart_of_the_daemon_its_jobs_are_lost() {
    let mut jobs = busy();
    jobs.link_down();
    let before = jobs.live();
    let look = snapshot((-1, -1), &[], None, true);
    assert_eq!(told(jobs.settle(&before, &look, 2.0)), ["a Lost", "b Lost"]);
    jobs.resync(&look, 2.0);
    assert_eq!(jobs.run(-1), Run::Idle);
}

#[test]
fn jobs_that_ended_while_the_link_was_down_are_unknown_and_never_succeeded() {
    let mut jobs = busy();
    jobs.link_down();
    let before = jobs.live();
    let look = snapshot((-1, -1), &[], None, false);
    jobs.resync(&look, 2.0);
    assert_eq!(
        told(jobs.settle(&before, &look, 2.0)),
        ["a Unknown", "b Unknown"]
    );
}

#[test]
fn jobs_that_are_still_there_after_a_lost_link_live_on() {
    let mut jobs = busy();
    jobs.link_down();
    let before = jobs.live();
    let look = snapshot((0, 3), &["b"], Some("a"), false);
    assert_eq!(told(jobs.resync(&look, 2.0)), [""; 0]);
    assert_eq!(told(jobs.settle(&before, &look, 2.0)), [""; 0]);
    assert_eq!(jobs.running().unwrap().id, "a");
}

#[test]
fn the_next_job_may_be_running_when_the_link_is_back() {
    let mut jobs = busy();
    let before = jobs.live();
    let look = snapshot((0, 1), &[], Some("b"), false);
    assert_eq!(told(jobs.resync(&look, 2.0)), ["b started", "a Unknown"]);
    assert_eq!(told(jobs.settle(&before, &look, 2.0)), [""; 0]);
}

#[test]
fn a_job_submitted_during_a_look_that_misses_it_is_left_alone() {
    let mut jobs = busy();
    let before = jobs.live();
    jobs.submitted(&request("c"));
    let look = snapshot((0, 1), &["b"], Some("a"), false);
    jobs.resync(&look, 2.0);
    jobs.settle(&before, &look, 2.0);
    assert_eq!(state(&jobs, "c"), JobState::Queued);
}

#[test]
fn a_late_word_of_the_end_is_better_than_none() {
    let mut jobs = busy();
    let before = jobs.live();
    let look = snapshot((-1, -1), &[], None, false);
    jobs.settle(&before, &look, 2.0);
    assert_eq!(told(jobs.done(&ended("a", true), 3.0)), ["a Succeeded"]);
}

#[test]
fn a_stop_has_worked_when_what_was_there_has_ended_or_is_being_stopped() {
    let mut jobs = busy();
    let before = jobs.live();
    assert!(!jobs.are_stopping(&before));
    jobs.status((-1, -1));
    assert!(!jobs.are_stopping(&before), "only between two blocks");
    jobs.removed(&["b".into()], 2.0);
    assert!(!jobs.are_stopping(&before));
    jobs.done(&ended("a", false), 3.0);
    assert!(jobs.are_stopping(&before));

    let mut jobs = busy();
    let before = jobs.live();
    jobs.settle(&before, &snapshot((-1, -1), &[], None, false), 2.0);
    assert!(!jobs.are_stopping(&before), "that they ended was not seen");

    let mut jobs = busy();
    let before = jobs.live();
    jobs.link_up();
    jobs.status((2, 1));
    assert!(!jobs.are_stopping(&before), "what waits would run after it");
    jobs.removed(&["b".into()], 2.0);
    assert!(jobs.are_stopping(&before));
    jobs.link_down();
    assert!(!jobs.are_stopping(&before), "that was long ago");
}

#[test]
fn of_a_long_name_only_its_beginning_is_remembered() {
    let mut jobs = Jobs::new(10);
    let long = Request {
        name: Some("ä".repeat(10_000)),
        user: Some("u".repeat(10_000)),
        ..request("a")
    };
    jobs.queued(&long);
    jobs.edited(&long);
    let record = jobs.get("a").unwrap();
    let bytes = |text: &Option<String>| text.as_ref().unwrap().len();
    assert_eq!((bytes(&record.name), bytes(&record.user)), (1024, 1024));
}

#[test]
fn the_same_state_is_told_once() {
    let mut jobs = busy();
    assert_eq!(jobs.status((0, 2)).len(), 1);
    assert_eq!(jobs.status((0, 2)).len(), 0);
}

#[test]
fn the_oldest_jobs_that_have_ended_are_forgotten_first() {
    let mut jobs = Jobs::new(10);
    jobs.queued(&request("waiting"));
    for number in 0..100 {
        let id = format!("{number}");
        jobs.started(&request(&id), 1.0);
        jobs.done(&ended(&id, true), 2.0);
    }
    assert!(jobs.get("waiting").is_some() && jobs.get("99").is_some());
    assert!(jobs.get("0").is_none() && jobs.get("90").is_none());
}

#[test]
fn a_repeated_start_is_no_edit_and_another_text_is_one() {
    let mut jobs = Jobs::new(10);
    assert_eq!(
        told(jobs.started(&request("a"), 1.0)),
        ["a queued", "a started"]
    );
    assert_eq!(told(jobs.started(&request("a"), 1.0)), Vec::<String>::new());
    let edited = Request {
        script: Some("other\n".into()),
        ..request("a")
    };
    assert_eq!(told(jobs.started(&edited, 2.0)), ["a edited"]);
    assert_eq!(told(jobs.started(&edited, 2.0)), Vec::<String>::new());
}

//! What is concluded from looks at a server, without one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use patchbay_queueserver::jobs::{Found, How, Jobs, Look, Notice};
use patchbay_queueserver::shape::{Item, Status};
use patchbay_sdk::model::{JobState, Run};
use serde::Deserialize;
use serde_json::json;

fn item(uid: &str, job: &str) -> Item {
    let json = json!({
        "item_uid": uid, "item_type": "plan", "name": "patchbay_script", "user": "anna",
        "kwargs": {"code": "pass"}, "meta": {"patchbay": {"job": job, "name": job}},
    });
    Item::deserialize(json).unwrap()
}

fn ended(uid: &str, job: &str, how: &str) -> Item {
    let result = json!({"exit_status": how, "msg": ""});
    Item {
        result: serde_json::from_value(result).unwrap(),
        ..item(uid, job)
    }
}

fn status(manager: &str) -> Status {
    Status {
        manager_state: manager.into(),
        worker_environment_exists: true,
        ..Status::default()
    }
}

fn look(manager: &str, queue: &[Item], running: Option<Item>, history: &[Item]) -> Look {
    Look {
        status: status(manager),
        queue: Some((queue.to_vec(), running)),
        history: Some(history.to_vec()),
    }
}

/// What was told of jobs, as `id state` and for an end `id outcome`.
fn told(found: &Found) -> Vec<String> {
    let line = |notice: &Notice| match notice {
        Notice::Job(id, body) => Some(match body.outcome {
            Some(outcome) => format!("{id} {outcome:?}"),
            None => format!("{id} {}", body.state),
        }),
        _ => None,
    };
    found.notices.iter().filter_map(line).collect()
}

fn state(jobs: &Jobs, id: &str) -> JobState {
    jobs.get(id).unwrap().record.state
}

/// One runs, one waits.
fn busy() -> Jobs {
    let mut jobs = Jobs::new(100, false);
    jobs.look(look("idle", &[], None, &[]), 0.0);
    jobs.submitted(&item("1", "a"));
    jobs.submitted(&item("2", "b"));
    jobs.set_going(true);
    let found = jobs.look(
        look(
            "executing_queue",
            &[item("2", "b")],
            Some(item("1", "a")),
            &[],
        ),
        1.0,
    );
    assert_eq!(told(&found), ["a started"]);
    jobs
}

#[test]
fn idle_between_two_items_is_neither_an_end_nor_idle() {
    let mut jobs = busy();
    let found = jobs.look(
        look("idle", &[item("2", "b")], Some(item("1", "a")), &[]),
        2.0,
    );
    assert_eq!((told(&found).len(), jobs.run()), (0, Run::Running));
    // It has ended, and the next has not begun.
    let done = ended("1", "a", "completed");
    let found = jobs.look(look("idle", &[item("2", "b")], None, &[done]), 3.0);
    assert_eq!(
        (told(&found), jobs.run()),
        (vec!["a Succeeded".to_owned()], Run::Running)
    );
    jobs.set_going(false);
    assert_eq!(jobs.run(), Run::Idle);
}

#[test]
fn only_the_historys_word_is_success() {
    for (word, outcome) in [
        ("completed", JobState::Succeeded),
        ("failed", JobState::Failed),
        ("stopped", JobState::Failed),
        ("aborted", JobState::Failed),
        ("unknown", JobState::Unknown),
        ("something new", JobState::Unknown),
    ] {
        let mut jobs = busy();
        jobs.look(look("idle", &[], None, &[ended("1", "a", word)]), 3.0);
        assert_eq!(state(&jobs, "a"), outcome, "{word}");
    }
}

#[test]
fn what_is_nowhere_twice_is_not_known_to_have_ended_well() {
    let mut jobs = busy();
    jobs.look(look("idle", &[], None, &[]), 2.0);
    assert_eq!(
        (state(&jobs, "a"), state(&jobs, "b")),
        (JobState::Running, JobState::Queued)
    );
    let found = jobs.look(look("idle", &[], None, &[]), 3.0);
    assert_eq!(
        (state(&jobs, "a"), state(&jobs, "b")),
        (JobState::Unknown, JobState::Removed)
    );
    assert_eq!(told(&found).len(), 2);
    // A late word counts.
    jobs.look(
        look("idle", &[], None, &[ended("1", "a", "completed")]),
        4.0,
    );
    assert_eq!(state(&jobs, "a"), JobState::Succeeded);
    let mut jobs = busy();
    for at in [2.0, 3.0] {
        let mut gone = look("idle", &[], None, &[]);
        gone.status.worker_environment_exists = false;
        jobs.look(gone, at);
    }
    assert_eq!(state(&jobs, "a"), JobState::Lost);
}

#[test]
fn a_copy_is_none_of_the_job_that_failed() {
    let mut jobs = busy();
    let failed = ended("1", "a", "failed");
    let copy = ended("9", "a", "failed");
    let queue = [copy.clone(), item("2", "b")];
    let found = jobs.look(
        look("idle", &queue, None, std::slice::from_ref(&failed)),
        2.0,
    );
    assert_eq!(
        (&found.copies[..], found.ended[0].0.how),
        (&["9".to_owned()][..], How::Failed)
    );
    assert_eq!(told(&found), ["a Failed"]);
    // Also to a gateway that has just been started.
    let mut fresh = Jobs::new(100, false);
    let found = fresh.look(
        look("idle", &queue, None, std::slice::from_ref(&failed)),
        2.0,
    );
    assert_eq!(found.copies, ["9"]);
    assert_eq!(
        (state(&fresh, "a"), state(&fresh, "b")),
        (JobState::Failed, JobState::Queued)
    );
    assert_eq!(
        told(&found),
        ["b queued"],
        "what had ended before is no news"
    );
    assert!(found.ended.is_empty(), "and no reason to stop anything");
    // Kept, it is a job of its own.
    let mut keeping = Jobs::new(100, true);
    let found = keeping.look(look("idle", &queue, None, &[failed]), 2.0);
    assert!(found.copies.is_empty());
    assert_eq!(
        (state(&keeping, "a"), state(&keeping, "9")),
        (JobState::Failed, JobState::Queued)
    );
    let found = keeping.look(look("executing_queue", &[], Some(copy), &[]), 3.0);
    assert_eq!(told(&found), ["9 started"]);
}

#[test]
fn a_waiting_job_keeps_its_id_when_its_item_gets_another() {
    let mut jobs = busy();
    let found = jobs.look(
        look(
            "executing_queue",
            &[item("7", "b")],
            Some(item("1", "a")),
            &[],
        ),
        2.0,
    );
    assert!(told(&found).is_empty());
    assert_eq!(jobs.get("b").unwrap().uid, "7");
}

#[test]
fn an_order_by_somebody_else_holds_what_waits() {
    let mut jobs = busy();
    let mut pending = look(
        "executing_queue",
        &[item("2", "b")],
        Some(item("1", "a")),
        &[],
    );
    pending.status.queue_stop_pending = true;
    jobs.look(pending, 2.0);
    assert!(!jobs.is_going());
    let stop: Item = serde_json::from_value(json!({
        "item_uid": "s", "item_type": "instruction", "name": "queue_stop"
    }))
    .unwrap();
    let mut jobs = busy();
    let queue = [stop, item("2", "b")];
    jobs.look(
        look("executing_queue", &queue, Some(item("1", "a")), &[]),
        2.0,
    );
    let done = ended("1", "a", "completed");
    let rest = look("idle", &queue[1..], None, &[done]);
    assert!(!jobs.look(rest.clone(), 3.0).ordered);
    assert!(jobs.look(rest, 4.0).ordered);
}

#[test]
fn a_pause_that_comes_too_late_holds_the_queue_and_no_longer_than_that() {
    let mut jobs = busy();
    let mut late = look(
        "idle",
        &[item("2", "b")],
        None,
        &[ended("1", "a", "completed")],
    );
    late.status.pause_pending = true;
    jobs.look(late.clone(), 2.0);
    assert!(!jobs.is_going());
    jobs.resume();
    jobs.look(late, 3.0);
    assert!(jobs.is_going());
}

#[test]
fn a_queue_that_somebody_has_started_is_to_go_on() {
    let mut fresh = Jobs::new(100, false);
    fresh.look(
        look(
            "executing_queue",
            &[item("2", "b")],
            Some(item("1", "a")),
            &[],
        ),
        0.0,
    );
    assert!(fresh.is_going());
    // But not one that was to stop after this job.
    fresh.set_going(false);
    fresh.look(
        look(
            "executing_queue",
            &[item("2", "b")],
            Some(item("1", "a")),
            &[],
        ),
        1.0,
    );
    assert!(!fresh.is_going());
    fresh.look(
        look(
            "idle",
            &[item("2", "b")],
            None,
            &[ended("1", "a", "completed")],
        ),
        2.0,
    );
    assert!(!fresh.is_going());
    fresh.look(look("executing_queue", &[], Some(item("2", "b")), &[]), 3.0);
    assert!(fresh.is_going());
}

#[test]
fn a_cleared_history_is_no_news_and_hides_none() {
    let mut jobs = busy();
    let old: Vec<Item> = (0..5)
        .map(|at| ended(&format!("x{at}"), &format!("old{at}"), "completed"))
        .collect();
    jobs.look(
        look(
            "executing_queue",
            &[item("2", "b")],
            Some(item("1", "a")),
            &old,
        ),
        2.0,
    );
    let found = jobs.look(
        look(
            "executing_queue",
            &[item("2", "b")],
            Some(item("1", "a")),
            &[],
        ),
        3.0,
    );
    assert!(told(&found).is_empty());
    let found = jobs.look(
        look(
            "idle",
            &[item("2", "b")],
            None,
            &[ended("1", "a", "completed")],
        ),
        4.0,
    );
    assert_eq!(told(&found), ["a Succeeded"]);
}

#[test]
fn memory_is_bounded_and_what_lives_is_kept() {
    let mut jobs = Jobs::new(10, false);
    jobs.look(look("idle", &[], None, &[]), 0.0);
    jobs.submitted(&item("1", "a"));
    let mut history = Vec::new();
    for at in 0..200 {
        history.push(ended(&format!("u{at}"), &format!("j{at}"), "completed"));
        jobs.look(
            look("idle", &[item("1", "a")], None, &history),
            f64::from(at),
        );
    }
    assert_eq!(state(&jobs, "a"), JobState::Queued);
    assert_eq!(state(&jobs, "j199"), JobState::Succeeded);
    assert!(jobs.get("j100").is_none());
}

#[test]
fn a_script_is_paused_only_by_its_own_word() {
    let mut jobs = busy();
    let paused = |jobs: &mut Jobs, held| {
        let notices = jobs.at_line("a", Some(3), Some(held));
        told(&Found {
            notices,
            ..Found::default()
        })
    };
    assert_eq!(
        (paused(&mut jobs, true), jobs.run()),
        (vec!["a paused".to_owned()], Run::Paused)
    );
    let found = jobs.look(
        look(
            "executing_queue",
            &[item("2", "b")],
            Some(item("1", "a")),
            &[],
        ),
        2.0,
    );
    assert!(
        told(&found).is_empty(),
        "the Run Engine knows nothing of it"
    );
    assert_eq!(paused(&mut jobs, false), ["a resumed"]);
    assert!(
        jobs.at_line("b", Some(9), Some(true)).is_empty(),
        "another one's line"
    );
}

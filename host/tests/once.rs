//! A submit with a key is carried out once at the most, and its client always learns what is known of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{BACKEND, End, FRONTEND, broker_at, end, keeping, seats};
use patchbay::broker::Broker;
use patchbay::intents::Store;
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SCRIPT: &str = r#"{"code":"count(1)"}"#;

/// One life of a gateway, with a client that is logged in.
struct Life {
    _broker: Arc<Broker>,
    backend: End,
    frontend: End,
    session: u64,
}

impl Life {
    fn begin(folder: &Path) -> Life {
        let broker = broker_at(folder, seats());
        let backend = end(&broker, BACKEND, 1);
        let frontend = end(&broker, FRONTEND, 1);
        frontend.login(1);
        let session = backend.grant("user");
        assert_eq!(frontend.inbox.next().kind, Kind::REPLY);
        Life {
            _broker: broker,
            backend,
            frontend,
            session,
        }
    }

    fn submit(&self, id: u64, key: &str, body: &str) {
        self.submit_in(self.session, id, key, body);
    }

    fn submit_in(&self, session: u64, id: u64, key: &str, body: &str) {
        self.ask(session, None, id, key, body);
    }

    /// Is told what became of it, and nothing is done.
    fn recall(&self, id: u64, key: &str, body: &str) {
        self.ask(0, Some(self.session), id, key, body);
    }

    fn ask(&self, session: u64, asker: Option<u64>, id: u64, key: &str, body: &str) {
        let head = head::Call {
            session,
            op: "submit".into(),
            deadline_ms: 0,
            urgent: false,
            key: Some(key.into()),
            asker,
            reference: None,
        };
        let message = Message::new(Kind::CALL, id, &head).body(body.to_owned());
        self.frontend.host.deliver(message);
    }

    /// What the backend is asked next, which must be that.
    fn asked(&self, op: &str) -> Message {
        let asked = self.backend.inbox.wait();
        assert_eq!(asked.read_head::<head::Call>().unwrap().op, op);
        asked
    }

    fn answer(&self, asked: &Message, body: &str) {
        let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
        self.backend.host.deliver(reply.body(body.to_owned()));
    }

    fn refuse(&self, asked: &Message, kind: FaultKind) {
        let head = head::Reply {
            fault: Some(Fault::new(kind, "no")),
            session: None,
            ..head::Reply::default()
        };
        self.backend.say(Kind::REPLY, asked.id, &head);
    }

    /// What the client is told, under which number.
    fn told(&self) -> (u64, Result<String, Fault>) {
        let told = self.frontend.inbox.wait();
        match told.read_head::<head::Reply>().unwrap().fault {
            Some(fault) => (told.id, Err(fault)),
            None => (told.id, Ok(told.body.as_str().unwrap().to_owned())),
        }
    }

    fn told_kind(&self) -> FaultKind {
        self.told().1.expect_err("a fault").kind
    }

    /// The gateway is gone; its notes stay, and can be opened by the next.
    fn end(self, folder: &Path) {
        drop(self);
        let end = Instant::now() + Duration::from_secs(20);
        while Store::new(keeping(folder)).open().is_err() {
            assert!(Instant::now() < end, "the broker ends");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_same_key_is_answered_as_before_and_nothing_is_done() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    let asked = life.asked("submit");
    assert_eq!(asked.body.as_str().unwrap(), SCRIPT);
    life.answer(&asked, r#"{ "job": "7" }"#);
    assert_eq!(life.told(), (2, Ok(r#"{ "job": "7" }"#.into())));
    life.submit(3, "k", SCRIPT);
    assert_eq!(life.told(), (3, Ok(r#"{"job":"7"}"#.into())));
    assert_eq!(life.backend.inbox.kinds(), []);
}

#[test]
fn a_restarted_gateway_knows_what_was_done_even_from_a_client_that_it_does_not_know() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.answer(&life.asked("submit"), r#"{"job":"7"}"#);
    life.told().1.unwrap();
    life.end(&folder.path().join("state"));
    let life = Life::begin(&folder.path().join("state"));
    life.submit_in(0, 2, "k", SCRIPT);
    assert_eq!(life.told(), (2, Ok(r#"{"job":"7"}"#.into())));
    life.submit_in(0, 3, "another", SCRIPT);
    assert_eq!(life.told_kind(), FaultKind::Unauthorized);
    assert_eq!(life.backend.inbox.kinds(), []);
}

#[test]
fn what_an_earlier_life_may_have_sent_is_looked_for_and_not_sent_again() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "first", SCRIPT);
    life.answer(&life.asked("submit"), r#"{"job":"7"}"#);
    life.told().1.unwrap();
    life.submit(3, "second", SCRIPT);
    life.asked("submit");
    life.end(&folder.path().join("state"));
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "second", SCRIPT);
    let asked = life.asked("find");
    let question: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(question["submit"]["code"], "count(1)");
    assert!(question["since"].as_f64().unwrap() > 1e9);
    // The job of another submit is not this one's.
    life.answer(&asked, r#"{"jobs":["7","8"]}"#);
    assert_eq!(life.told(), (2, Ok(r#"{"job":"8"}"#.into())));
    life.submit_in(0, 3, "second", SCRIPT);
    assert_eq!(life.told(), (3, Ok(r#"{"job":"8"}"#.into())));
}

#[test]
fn what_is_only_recalled_is_looked_for_in_its_clients_session_and_never_sent() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.refuse(&life.asked("submit"), FaultKind::UnknownOutcome);
    life.told().1.unwrap_err();
    life.recall(3, "k", SCRIPT);
    life.answer(&life.asked("find"), r#"{"jobs":["7"]}"#);
    assert_eq!(life.told(), (3, Ok(r#"{"job":"7"}"#.into())));
    life.recall(4, "another", SCRIPT);
    assert_eq!(life.told_kind(), FaultKind::Unauthorized);
    assert_eq!(life.backend.inbox.kinds(), []);
}

#[test]
fn what_is_not_to_be_found_is_unknown_and_stays_so() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.asked("submit");
    life.end(&folder.path().join("state"));
    let life = Life::begin(&folder.path().join("state"));
    life.submit_in(0, 2, "k", SCRIPT);
    assert_eq!(life.told_kind(), FaultKind::UnknownOutcome);
    life.submit(3, "k", SCRIPT);
    life.answer(&life.asked("find"), r#"{"jobs":[]}"#);
    assert_eq!(life.told_kind(), FaultKind::UnknownOutcome);
    life.submit(4, "k", SCRIPT);
    life.refuse(&life.asked("find"), FaultKind::Unsupported);
    assert_eq!(life.told_kind(), FaultKind::UnknownOutcome);
}

#[test]
fn a_second_one_while_the_first_is_under_way_gets_the_same_answer() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    let asked = life.asked("submit");
    life.submit(3, "k", SCRIPT);
    life.answer(&asked, r#"{"job":"7"}"#);
    let mut told = [life.told(), life.told()];
    told.sort_by_key(|(id, _)| *id);
    let job = || Ok(r#"{"job":"7"}"#.to_owned());
    assert_eq!(told, [(2, job()), (3, job())]);
    assert_eq!(life.backend.inbox.kinds(), []);
}

#[test]
fn a_key_that_is_in_use_for_something_else_is_refused() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    let asked = life.asked("submit");
    life.submit(3, "k", r#"{"code":"count(2)"}"#);
    assert_eq!(life.told_kind(), FaultKind::Conflict);
    life.answer(&asked, r#"{"job":"7"}"#);
    assert_eq!(life.told(), (2, Ok(r#"{"job":"7"}"#.into())));
}

#[test]
fn a_key_that_was_used_for_something_else_is_refused() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.answer(&life.asked("submit"), r#"{"job":"7"}"#);
    life.told().1.unwrap();
    life.submit(3, "k", r#"{"code":"count(2)"}"#);
    assert_eq!(life.told_kind(), FaultKind::Conflict);
    assert_eq!(life.backend.inbox.kinds(), []);
}

#[test]
fn what_had_no_effect_may_be_tried_again_under_its_key() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.refuse(&life.asked("submit"), FaultKind::Conflict);
    assert_eq!(life.told_kind(), FaultKind::Conflict);
    life.submit(3, "k", SCRIPT);
    life.answer(&life.asked("submit"), r#"{"job":"7"}"#);
    assert_eq!(life.told(), (3, Ok(r#"{"job":"7"}"#.into())));
}

#[test]
fn what_may_have_had_an_effect_is_not_tried_again() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.refuse(&life.asked("submit"), FaultKind::UnknownOutcome);
    assert_eq!(life.told_kind(), FaultKind::UnknownOutcome);
    life.submit(3, "k", SCRIPT);
    life.answer(&life.asked("find"), r#"{"jobs":["7"]}"#);
    assert_eq!(life.told(), (3, Ok(r#"{"job":"7"}"#.into())));
}

#[test]
fn without_its_state_directory_a_gateway_refuses_submits_and_does_everything_else() {
    let folder = folder();
    let state = folder.path().join("state");
    std::fs::write(&state, "in the way").unwrap();
    let life = Life::begin(&state);
    life.submit(2, "k", SCRIPT);
    let (_, told) = life.told();
    let fault = told.unwrap_err();
    // Whether it was carried out before could not be looked up either.
    assert_eq!(fault.kind, FaultKind::UnknownOutcome);
    assert!(
        fault.message.contains("state directory"),
        "{}",
        fault.message
    );
    life.frontend.call(3, life.session, "status");
    life.answer(&life.asked("status"), "{}");
    assert_eq!(life.told(), (3, Ok("{}".into())));
    // It is tried anew each time.
    std::fs::remove_file(&state).unwrap();
    life.submit(4, "k", SCRIPT);
    life.answer(&life.asked("submit"), r#"{"job":"7"}"#);
    assert_eq!(life.told(), (4, Ok(r#"{"job":"7"}"#.into())));
}

#[test]
fn of_several_jobs_that_fit_none_is_taken_for_the_one() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.refuse(&life.asked("submit"), FaultKind::UnknownOutcome);
    life.told().1.unwrap_err();
    life.submit(3, "k", SCRIPT);
    life.answer(&life.asked("find"), r#"{"jobs":["7","8"]}"#);
    assert_eq!(life.told_kind(), FaultKind::UnknownOutcome);
}

#[test]
fn the_job_of_a_submit_without_a_key_is_not_taken_for_that_of_another() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.frontend.call(2, life.session, "submit");
    life.answer(&life.asked("submit"), r#"{"job":"7"}"#);
    life.told().1.unwrap();
    life.submit(3, "k", SCRIPT);
    life.refuse(&life.asked("submit"), FaultKind::UnknownOutcome);
    life.told().1.unwrap_err();
    life.submit(4, "k", SCRIPT);
    life.answer(&life.asked("find"), r#"{"jobs":["7"]}"#);
    assert_eq!(life.told_kind(), FaultKind::UnknownOutcome);
}

#[test]
fn an_answer_that_is_being_noted_is_told_although_its_backend_ends() {
    for _ in 0..20 {
        let folder = folder();
        let life = Life::begin(&folder.path().join("state"));
        life.submit(2, "k", SCRIPT);
        life.answer(&life.asked("submit"), r#"{"job":"7"}"#);
        life._broker.disconnect(BACKEND, 1);
        assert_eq!(life.told(), (2, Ok(r#"{"job":"7"}"#.into())));
    }
}

#[test]
fn a_client_that_gives_up_leaves_a_request_that_is_looked_for() {
    let folder = folder();
    let life = Life::begin(&folder.path().join("state"));
    life.submit(2, "k", SCRIPT);
    life.asked("submit");
    life.frontend.host.deliver(Message::bare(Kind::CANCEL, 2));
    assert_eq!(life.backend.inbox.wait().kind, Kind::CANCEL);
    life.submit(3, "k", SCRIPT);
    life.answer(&life.asked("find"), r#"{"jobs":["7"]}"#);
    assert_eq!(life.told(), (3, Ok(r#"{"job":"7"}"#.into())));
}

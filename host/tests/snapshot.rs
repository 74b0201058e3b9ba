//! `status` and `log` are answered from what the backend said last, as long as that holds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{BACKEND, End, FRONTEND, end, limited, limits, seats};
use patchbay::broker::{Authority, Broker, Limits, Route, Seat, Snapshots};
use patchbay_abi::{Fault, FaultKind, Kind, Message, head};
use patchbay_sdk::Role;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longer than any test takes.
const EVER: Duration = Duration::from_secs(3600);

/// A broker with a client that is logged in as user.
struct Site {
    broker: Arc<Broker>,
    back: End,
    front: End,
    session: u64,
    asked: u64,
}

/// Nothing becomes too old, and patience never ends.
fn patient() -> Snapshots {
    Snapshots {
        bytes: 1 << 20,
        patience: EVER,
        interval: EVER,
        age: EVER,
    }
}

/// Patience ends at once.
fn impatient() -> Snapshots {
    Snapshots {
        patience: Duration::ZERO,
        ..patient()
    }
}

impl Site {
    fn open(snapshots: Snapshots) -> Site {
        let limits = Limits {
            sessions: 100,
            in_flight: 2000,
            in_flight_per_session: 1000,
            request: EVER,
            snapshots,
            ..limits()
        };
        let broker = limited(limits, seats());
        let (back, front) = (end(&broker, BACKEND, 1), end(&broker, FRONTEND, 1));
        let mut site = Site {
            broker,
            back,
            front,
            session: 0,
            asked: 0,
        };
        site.session = site.client("user");
        site
    }

    /// One whose backend was asked for its status and has answered that.
    fn known(snapshots: Snapshots) -> Site {
        let mut site = Site::open(snapshots);
        site.status();
        site.answer(r#"{"link":"up","n":1}"#);
        assert_eq!(site.told()["n"], 1);
        site
    }

    fn client(&mut self, role: &str) -> u64 {
        self.front.login(1);
        let session = self.back.grant(role);
        assert_eq!(self.front.inbox.next().kind, Kind::REPLY);
        session
    }

    fn ask(&mut self, op: &str, args: &str) -> u64 {
        self.asked += 1;
        self.front.ask(100 + self.asked, self.session, op, args);
        100 + self.asked
    }

    fn status(&mut self) -> u64 {
        self.ask("status", "{}")
    }

    /// Something is changed, and the client has heard so.
    fn change(&mut self) {
        let id = self.ask("remove", r#"{"all":true}"#);
        self.answer("null");
        assert_eq!(self.front.inbox.next().id, id);
    }

    /// The backend answers what it was asked first.
    fn answer(&self, body: &str) {
        let asked = self.back.inbox.next();
        assert_eq!(asked.kind, Kind::CALL);
        self.back.answer(&asked, body);
    }

    fn told(&self) -> Value {
        let told = self.front.inbox.next();
        assert_eq!(told.kind, Kind::REPLY);
        serde_json::from_slice(&told.body).expect("an answer, no fault")
    }

    /// Time passes until somebody is told something.
    fn told_in_time(&self) -> Value {
        let end = Instant::now() + Duration::from_secs(60);
        while self.front.inbox.messages.lock().unwrap().is_empty() {
            assert!(Instant::now() < end, "somebody is told something");
            self.broker.sweep();
        }
        self.told()
    }

    fn nobody_asks(&self) {
        assert_eq!(self.back.inbox.kinds(), []);
    }

    fn nobody_is_told(&self) {
        assert_eq!(self.front.inbox.kinds(), []);
    }

    fn emit(&self, kind: &str, body: Value) {
        let head = json!({ "kind": kind });
        let event = Message::new(Kind::EVENT, 0, &head);
        self.back.host.deliver(event.body(body.to_string()));
    }

    fn health(&self, state: &str, reason: &str) {
        let (state, reason) = (state.to_owned(), reason.to_owned());
        self.back
            .say(Kind::HEALTH, 0, &head::Health { state, reason });
    }
}

#[test]
fn what_was_said_is_said_again_with_its_age_and_fresh_goes_through() {
    let mut site = Site::known(patient());
    site.ask("status", r#"{ "fresh": false }"#);
    let told = site.told();
    assert!(told["age_s"].is_f64() && told["n"] == 1, "{told}");
    site.nobody_asks();
    site.ask("status", r#"{"fresh":true}"#);
    let asked = site.back.inbox.next();
    assert_eq!(&*asked.body, b"{}", "the backend knows nothing of `fresh`");
    site.back.answer(&asked, r#"{"link":"up","n":2}"#);
    assert_eq!(site.told(), json!({"link": "up", "n": 2}));
    site.status();
    assert_eq!(site.told()["n"], 2);
    site.nobody_asks();
}

#[test]
fn each_question_has_its_own_answer() {
    let mut site = Site::known(patient());
    site.ask("status", r#"{"native":true}"#);
    site.answer(r#"{"n":10}"#);
    site.ask("log", r#"{"last":3}"#);
    site.answer(r#"{"messages":[]}"#);
    site.front.inbox.kinds();
    for (op, args, member) in [
        ("status", "{}", "link"),
        ("status", r#"{ "native" : true }"#, "n"),
        ("log", r#"{"last":3}"#, "messages"),
    ] {
        site.ask(op, args);
        assert!(!site.told()[member].is_null(), "{op} {args}");
    }
    site.nobody_asks();
}

#[test]
fn whoever_was_told_of_a_change_sees_it() {
    let mut site = Site::known(patient());
    site.change();
    // The host asks by itself, and the client waits for that.
    site.status();
    site.nobody_is_told();
    site.answer(r#"{"link":"up","n":2}"#);
    assert_eq!(site.told()["n"], 2);
    site.nobody_asks();
}

#[test]
fn an_answer_from_before_a_change_does_not_do_after_it() {
    let mut site = Site::known(patient());
    site.emit("job", json!({"state": "queued"}));
    let early = site.status();
    let before = site.back.inbox.next();
    site.change();
    let late = site.status();
    site.back.answer(&before, r#"{"link":"up","n":2}"#);
    let told = site.front.inbox.next();
    assert_eq!(told.id, early, "{late} waits on");
    site.nobody_is_told();
    site.answer(r#"{"link":"up","n":3}"#);
    assert_eq!(site.told()["n"], 3);
}

#[test]
fn a_change_whose_outcome_nobody_knows_counts_as_one() {
    let mut site = Site::known(patient());
    site.ask("remove", r#"{"all":true}"#);
    let asked = site.back.inbox.next();
    site.back
        .fail(&asked, Fault::new(FaultKind::UnknownOutcome, "?"));
    assert_eq!(site.front.inbox.fault().kind, FaultKind::UnknownOutcome);
    site.status();
    site.nobody_is_told();
}

#[test]
fn what_happens_at_the_server_is_asked_for_at_once_if_somebody_looked_lately() {
    let site = Site::open(patient());
    site.emit("job", json!({"state": "queued"}));
    site.nobody_asks();
    let site = Site::known(patient());
    site.emit("job", json!({"state": "queued"}));
    assert_eq!(site.back.inbox.kinds(), [Kind::CALL]);
    // One at a time, and then not again for a while.
    site.emit("job", json!({"state": "started"}));
    site.nobody_asks();
}

#[test]
fn what_does_not_concern_an_answer_leaves_it_as_it_is() {
    let mut site = Site::known(patient());
    site.emit("log", json!({"text": "hello"}));
    site.emit("data", json!({"data": "point"}));
    site.emit("what-is-that", json!({}));
    site.nobody_asks();
    site.status();
    assert_eq!(site.told()["n"], 1);
}

#[test]
fn a_line_that_moves_holds_up_no_status() {
    let mut site = Site::known(patient());
    site.emit("state", json!({"run": "running", "line": 1, "link": "up"}));
    site.answer(r#"{"link":"up","n":2}"#);
    for line in 2..100 {
        site.emit(
            "state",
            json!({"run": "running", "line": line, "link": "up"}),
        );
        site.status();
        assert_eq!(site.told()["n"], 2);
    }
    site.nobody_asks();
    site.emit("state", json!({"run": "idle", "line": 99, "link": "up"}));
    site.status();
    site.answer(r#"{"link":"up","n":3}"#);
    assert_eq!(site.told()["n"], 3);
}

#[test]
fn a_backend_that_hangs_is_spoken_for_with_the_age_and_the_cause_but_fresh_waits() {
    let mut site = Site::known(impatient());
    site.change();
    let fresh = site.ask("status", r#"{"fresh":true}"#);
    site.status();
    let told = site.told_in_time();
    assert!(told["stale"].as_str().unwrap().contains("has not answered"));
    assert!(told["n"] == 1 && told["link"] == "up", "{told}");
    site.status();
    let later = site.told();
    assert!(later["age_s"].as_f64() >= told["age_s"].as_f64());
    // It answers after all: the host's own question, and what goes through.
    site.answer(r#"{"link":"up","n":2}"#);
    site.nobody_is_told();
    site.answer(r#"{"link":"up","n":3}"#);
    assert_eq!(site.front.inbox.next().id, fresh);
    site.status();
    let told = site.told();
    assert!(told["n"] == 3 && told["stale"].is_null(), "{told}");
}

#[test]
fn whoever_loses_patience_is_shown_the_old_and_the_answer_is_kept_for_the_next() {
    let mut site = Site::known(Snapshots {
        patience: Duration::from_millis(1),
        age: Duration::ZERO,
        ..patient()
    });
    // It is too old by now, so this one asks for itself.
    site.status();
    assert_eq!(site.told_in_time()["n"], 1);
    site.answer(r#"{"link":"up","n":2}"#);
    site.nobody_is_told();
}

#[test]
fn a_backend_that_is_down_is_not_said_to_be_up() {
    let mut site = Site::known(patient());
    site.health("down", "127.0.0.1:1301: connection refused");
    site.status();
    let asked = site.back.inbox.next();
    site.back
        .fail(&asked, Fault::new(FaultKind::Unavailable, "no link"));
    let told = site.told();
    assert_eq!(told["link"], "down");
    assert_eq!((&told["n"], &told["stale"]), (&json!(1), &json!("no link")));
    site.broker.disconnect(BACKEND, 1);
    site.status();
    let told = site.told();
    assert_eq!(told["link"], "down");
    assert!(told["stale"].as_str().unwrap().contains("not running"));
}

#[test]
fn a_new_life_answers_for_itself() {
    let mut site = Site::known(patient());
    site.broker.disconnect(BACKEND, 1);
    site.back = end(&site.broker, BACKEND, 2);
    site.status();
    site.back.grant("user");
    site.answer(r#"{"link":"up","n":7}"#);
    assert_eq!(site.told(), json!({"link": "up", "n": 7}));
    site.status();
    assert_eq!(site.told()["n"], 7);
}

#[test]
fn a_new_life_whose_server_is_down_is_spoken_for_as_often_as_somebody_asks() {
    let mut site = Site::known(patient());
    site.broker.disconnect(BACKEND, 1);
    site.back = end(&site.broker, BACKEND, 2);
    site.health("down", "connection refused");
    for _ in 0..3 {
        site.status();
        let login = site.back.inbox.next();
        assert_eq!(login.kind, Kind::LOGIN);
        let fault = Fault::new(FaultKind::Unavailable, "connection refused");
        site.back.fail(&login, fault);
        let told = site.told();
        assert!(told["link"] == "down" && told["n"] == 1, "{told}");
    }
}

#[test]
fn whoever_has_not_been_let_in_by_a_backend_sees_nothing_of_it() {
    let route = |backend| Route {
        authority: Authority::Backend,
        backend,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let seats = vec![
        Seat::backend("one", 1 << 16, EVER),
        Seat::backend("two", 1 << 16, EVER),
        Seat::frontend("front", route(0)),
        Seat::frontend("other", route(1)),
    ];
    let limits = Limits {
        snapshots: patient(),
        ..limits()
    };
    let broker = limited(limits, seats);
    let [one, two, front, other] = [0, 1, 2, 3].map(|seat| end(&broker, seat, 1));
    for (frontend, backend) in [(&front, &one), (&other, &two)] {
        frontend.login(1);
        backend.grant("user");
        assert_eq!(frontend.inbox.next().kind, Kind::REPLY);
    }
    other.call(2, 2, "status");
    two.answer(&two.inbox.next(), r#"{"link":"up"}"#);
    broker.route("front", "two").unwrap();
    front.call(3, 1, "status");
    front.call(4, 1, "status");
    assert_eq!(front.inbox.kinds(), [], "its login is not decided yet");
    let login = two.inbox.next();
    two.fail(&login, Fault::new(FaultKind::Unauthorized, "who?"));
    for _ in 0..2 {
        assert_eq!(front.inbox.fault().kind, FaultKind::Unauthorized);
    }
    broker.disconnect(1, 1);
    front.call(5, 1, "status");
    assert_eq!(front.inbox.fault().kind, FaultKind::Unavailable);
}

#[test]
fn what_is_kept_can_be_seen_from_outside() {
    let site = Site::known(patient());
    site.emit("log", json!({"text": "hello"}));
    let kept = site.broker.kept();
    assert_eq!(kept.len(), 1);
    let answer = &kept[0].answers[0];
    assert_eq!((&*answer.op, &*answer.args), ("status", "{}"));
    assert_eq!((answer.bytes, kept[0].journal_events), (19, 1));
}

#[test]
fn what_is_known_is_for_those_who_are_logged_in() {
    let site = Site::known(patient());
    site.front.ask(7, site.session + 1, "status", "{}");
    assert_eq!(site.front.inbox.fault().kind, FaultKind::Unauthorized);
    site.front.ask(8, site.session, "status", r#"{"fresh":1}"#);
    assert_eq!(site.front.inbox.fault().kind, FaultKind::Invalid);
}

#[test]
fn fifty_clients_that_look_are_one_question() {
    let mut site = Site::known(patient());
    let clients: Vec<u64> = (0..50).map(|_| site.client("view")).collect();
    site.emit("job", json!({"state": "queued"}));
    for round in 0..20 {
        for client in &clients {
            site.front.ask(round, *client, "status", "{}");
        }
    }
    let asked = site.back.inbox.next();
    site.nobody_asks();
    site.nobody_is_told();
    site.back.answer(&asked, r#"{"link":"up","n":2}"#);
    assert_eq!(site.front.inbox.kinds().len(), 20 * 50);
}

#[test]
fn a_client_that_leaves_takes_the_others_answer_with_it_from_nobody() {
    let mut site = Site::known(Snapshots {
        age: Duration::ZERO,
        ..patient()
    });
    let asks = site.status();
    let waits = site.status();
    let gone = site.status();
    site.front.host.deliver(Message::bare(Kind::CANCEL, asks));
    site.front.host.deliver(Message::bare(Kind::CANCEL, gone));
    site.answer(r#"{"link":"up","n":2}"#);
    assert_eq!(site.front.inbox.next().id, waits);
    site.nobody_is_told();
}

#[test]
fn a_question_that_fails_for_one_client_is_asked_by_the_others_themselves() {
    let mut site = Site::known(Snapshots {
        age: Duration::ZERO,
        ..patient()
    });
    let ids = [site.status(), site.status(), site.status()];
    let asked = site.back.inbox.next();
    site.back
        .fail(&asked, Fault::new(FaultKind::Unauthorized, "who?"));
    assert_eq!(site.front.inbox.next().id, ids[0]);
    site.answer(r#"{"link":"up","n":2}"#);
    site.answer(r#"{"link":"up","n":3}"#);
    assert_eq!(site.front.inbox.kinds().len(), 2);
}

#[test]
fn what_is_kept_is_bounded_in_number_and_in_bytes() {
    let mut site = Site::open(Snapshots {
        bytes: 1000,
        ..patient()
    });
    let long = json!({ "text": "x".repeat(400) }).to_string();
    for last in 0..3 {
        site.ask("log", &json!({ "last": last }).to_string());
        site.answer(&long);
    }
    site.front.inbox.kinds();
    site.ask("log", r#"{"last":2}"#);
    assert!(site.told()["age_s"].is_f64());
    site.ask("log", r#"{"last":0}"#);
    site.answer("{}");
    let too_long = json!({ "text": "x".repeat(1001) }).to_string();
    for _ in 0..2 {
        site.ask("log", r#"{"last":9}"#);
        site.answer(&too_long);
    }
    for last in 100..200 {
        site.ask("log", &json!({ "last": last }).to_string());
        site.answer("{}");
    }
    site.front.inbox.kinds();
    site.ask("log", r#"{"last":100}"#);
    assert_eq!(site.back.inbox.kinds(), [Kind::CALL]);
}

#[test]
fn answers_that_are_no_objects_go_through_as_they_are() {
    let mut site = Site::open(patient());
    for _ in 0..2 {
        site.status();
        site.answer("[1]");
        assert_eq!(site.told(), json!([1]));
    }
}

/// The server counts its changes, and its status is that count. Clients look and change in any order, the backend answers
/// in any order: whoever has been told of a change is never shown a count from before it.
#[test]
fn in_whatever_order_nobody_sees_less_than_they_know() {
    let mut site = Site::known(patient());
    let clients: Vec<u64> = (0..5).map(|_| site.client("user")).collect();
    let mut dice = 11_u64;
    let mut random = move |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % below
    };
    let (mut id, mut count, mut known) = (1000_u64, 1_u64, 1_u64);
    // What each request that looks must see at least; `None` for one that changes.
    let mut open: HashMap<u64, Option<u64>> = HashMap::new();
    let (mut at_server, mut looks) = (Vec::new(), 0);
    for round in 0..20_000 {
        let client = clients[random(5) as usize];
        match random(6) {
            0 if round < 19_900 => {
                id += 1;
                open.insert(id, None);
                site.front.ask(id, client, "remove", "{}");
            }
            1 | 2 if round < 19_900 => {
                id += 1;
                open.insert(id, Some(known));
                site.front.ask(id, client, "status", "{}");
            }
            3 => site.emit("job", json!({})),
            _ => {}
        }
        while let Some(asked) = site.back.inbox.try_next() {
            let call: head::Call = asked.read_head().unwrap();
            count += u64::from(call.op == "remove");
            at_server.push((asked, json!({ "n": count }).to_string()));
        }
        let wants_to = random(3) == 0 || round >= 19_900;
        if wants_to && !at_server.is_empty() {
            let chosen = random(at_server.len() as u64) as usize;
            let (asked, body) = at_server.swap_remove(chosen);
            site.back.answer(&asked, &body);
        }
        while let Some(told) = site.front.inbox.try_next() {
            let n: Value = serde_json::from_slice(&told.body).unwrap();
            let n = n["n"].as_u64().unwrap();
            match open.remove(&told.id).expect("one answer for each") {
                None => known = known.max(n),
                Some(least) => {
                    looks += 1;
                    assert!(n >= least, "round {round}: {n} < {least}");
                }
            }
        }
    }
    assert!(open.is_empty() && looks > 1000, "{} {looks}", open.len());
}

/// Says also how long one takes: `cargo test --release -p patchbay --test snapshot -- --nocapture however_many`.
#[test]
fn looks_from_memory_ask_nobody_however_many_they_are() {
    let mut site = Site::open(patient());
    for (what, bytes) in [("small", 300), ("large", 100_000)] {
        let args = json!({ "for": what }).to_string();
        site.ask("status", &args);
        site.answer(&json!({ "link": "up", "x": "x".repeat(bytes) }).to_string());
        site.told();
        let (times, begun) = (5_000_u32, Instant::now());
        for _ in 0..times {
            site.ask("status", &args);
            assert_eq!(site.front.inbox.next().kind, Kind::REPLY);
        }
        let each = begun.elapsed().as_secs_f64() * 1e6 / f64::from(times);
        println!("{what} ({bytes} bytes): {each:.2} µs");
        site.nobody_asks();
    }
}

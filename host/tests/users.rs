//! The host's own list of users decides who gets in, and no backend ever sees a password.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{End, broker, end};
use patchbay::broker::{Authority, Broker, Limits, LoginRule, Route, Seat};
use patchbay::users::{UsersFile, edit, hash};
use patchbay_abi::{Fault, FaultKind, Kind, Message, Secret, head};
use patchbay_sdk::Role;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const OLD: usize = 0;
const NEW: usize = 1;
const FRONT: usize = 2;
const OTHER: usize = 3;

/// Two backends, a frontend whose clients the list decides about, and one whose clients the first backend does.
struct Site {
    broker: Arc<Broker>,
    old: End,
    new: End,
    front: End,
    other: End,
    folder: TempDir,
}

impl Site {
    fn open() -> Site {
        let age = Duration::from_secs(60);
        let rule = LoginRule {
            client_user: "shift".into(),
            client_secret_sha256: None,
            user: "otto".into(),
            secret: None,
        };
        let route = |authority, logins| Route {
            backend: OLD,
            authority,
            ceiling: Role::Expert,
            logins,
            forward_unmapped: true,
        };
        let broker = broker(vec![
            Seat::backend("old", 64 * 1024, age),
            Seat::backend("new", 64 * 1024, age),
            Seat::frontend("front", route(Authority::Users, vec![rule])),
            Seat::frontend("other", route(Authority::Backend, vec![])),
        ]);
        broker.limit(Limits {
            sessions: 10,
            frontend_share: 100,
            ..ends::limits()
        });
        let folder = tempfile::tempdir().unwrap();
        let site = Site {
            old: end(&broker, OLD, 1),
            new: end(&broker, NEW, 1),
            front: end(&broker, FRONT, 1),
            other: end(&broker, OTHER, 1),
            broker,
            folder,
        };
        edit(&site.list(), |users| {
            users.add("anna", Role::Admin, hash("sonnenschein").unwrap())?;
            users.add("otto", Role::User, hash("regenwetter").unwrap())
        })
        .unwrap();
        site.broker.keep_users(UsersFile::new(site.list())).unwrap();
        site
    }

    fn list(&self) -> PathBuf {
        self.folder.path().join("users")
    }

    fn login(&self, id: u64, user: &str, secret: &str) {
        login(&self.front, id, user, secret);
    }

    /// Logs in and is let in; what the frontend is told.
    fn enter(&self, id: u64, user: &str, secret: &str) -> head::Session {
        self.login(id, user, secret);
        let mut asked = self.old.inbox.wait();
        while asked.kind != Kind::LOGIN {
            asked = self.old.inbox.wait();
        }
        self.old.grant_late(&asked, "view");
        let told: head::Reply = self.front.inbox.wait().read_head().unwrap();
        told.session.expect("a session")
    }
}

fn login(frontend: &End, id: u64, user: &str, secret: &str) {
    let head = head::Login {
        session: 0,
        user: user.into(),
        client: "c".into(),
        vouched: None,
    };
    let message = Message::new(Kind::LOGIN, id, &head).secret(Secret::new(secret));
    frontend.host.deliver(message);
}

fn refused(frontend: &End) -> Fault {
    let told: head::Reply = frontend.inbox.wait().read_head().unwrap();
    told.fault.expect("a fault")
}

#[test]
fn who_is_in_the_list_gets_in_and_the_backend_gets_a_name_and_a_role_only() {
    let site = Site::open();
    site.login(1, "anna", "sonnenschein");
    let asked = site.old.inbox.wait();
    let head: head::Login = asked.read_head().unwrap();
    assert_eq!(
        (head.user.as_str(), head.vouched.as_deref()),
        ("anna", Some("expert")),
        "within the frontend's ceiling"
    );
    assert!(asked.secret.is_none() && !format!("{asked:?}").contains("sonnenschein"));
    // What the backend says of her is worth nothing.
    site.old.grant_late(&asked, "view");
    let told: head::Reply = site.front.inbox.wait().read_head().unwrap();
    let session = told.session.unwrap();
    assert_eq!(session.role, "expert");
    site.front.call(2, session.session, "submit");
    assert_eq!(site.old.inbox.wait().kind, Kind::CALL);
}

#[test]
fn wrong_names_and_wrong_passwords_are_refused_alike_and_nobody_asks_a_backend() {
    let site = Site::open();
    let tries = [
        ("anna", "regenwetter"),
        ("anna", ""),
        ("nobody", "sonnenschein"),
        ("", ""),
    ];
    let mut said = tries.map(|(user, secret)| {
        site.login(1, user, secret);
        let fault = refused(&site.front);
        assert_eq!(fault.kind, FaultKind::Unauthorized);
        fault.message
    });
    said.sort_unstable();
    assert_eq!(said.first(), said.last());
    assert_eq!(site.old.inbox.kinds(), []);
    assert_eq!(site.broker.sessions().len(), 0);
}

#[test]
fn a_login_rule_may_lead_to_a_user_of_the_list() {
    let site = Site::open();
    assert_eq!(site.enter(1, "shift", "whatever").role, "user");
    assert_eq!(site.broker.sessions()[0].user, "otto");
}

#[test]
fn secrets_go_to_the_authority_only_also_after_a_swap() {
    let site = Site::open();
    let anna = site.enter(1, "anna", "sonnenschein").session;
    login(&site.other, 1, "otto", "of the backend");
    let asked = site.old.inbox.wait();
    assert_eq!(
        asked.secret.as_ref().into_option().map(Secret::expose),
        Some("of the backend")
    );
    let otto = site.old.grant_late(&asked, "user");
    for front in ["front", "other"] {
        site.broker.route(front, "new").unwrap();
    }
    site.front.call(2, anna, "status");
    site.other.call(2, otto, "status");
    for (user, role) in [("anna", "expert"), ("otto", "user")] {
        let moved = site.new.inbox.wait();
        let head: head::Login = moved.read_head().unwrap();
        assert_eq!(
            (head.user.as_str(), head.vouched.as_deref()),
            (user, Some(role))
        );
        assert!(moved.secret.is_none());
    }
    // Who comes now is still checked by the list, and asks where requests go now.
    site.other
        .say(Kind::LOGOUT, 0, &head::Logout { session: otto });
    site.new.inbox.kinds();
    site.login(3, "anna", "sonnenschein");
    assert!(site.new.inbox.wait().secret.is_none());
    assert!(
        site.old
            .inbox
            .kinds()
            .iter()
            .all(|kind| *kind != Kind::LOGIN)
    );
}

#[test]
fn the_list_may_change_while_the_gateway_runs() {
    let site = Site::open();
    let anna = site.enter(1, "anna", "sonnenschein").session;
    edit(&site.list(), |users| {
        users.set_role("otto", Role::View)?;
        users.add("new", Role::User, hash("frisch dabei").unwrap())?;
        users.remove("anna")
    })
    .unwrap();
    assert_eq!(site.enter(2, "new", "frisch dabei").role, "user");
    // Whoever is not in it any more has been logged out.
    site.front.call(3, anna, "status");
    let fault = refused(&site.front);
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    site.login(4, "anna", "sonnenschein");
    assert_eq!(refused(&site.front).kind, FaultKind::Unauthorized);
    assert_eq!(site.enter(5, "otto", "regenwetter").role, "view");
}

#[test]
fn a_list_that_cannot_be_trusted_lets_nobody_in_and_harms_nobody_else() {
    let site = Site::open();
    std::fs::write(site.list(), "anna:admin:not a hash\n").unwrap();
    site.login(1, "anna", "sonnenschein");
    let fault = refused(&site.front);
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.contains("list of users"), "{}", fault.message);
    login(&site.other, 1, "otto", "of the backend");
    assert_eq!(site.old.inbox.wait().kind, Kind::LOGIN);
}

#[cfg(unix)]
#[test]
fn a_list_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::open();
    let mode = |mode| std::fs::set_permissions(site.list(), PermissionsExt::from_mode(mode));
    mode(0o620).unwrap();
    let why = patchbay::users::read(&site.list(), |_| {}).unwrap_err();
    assert!(
        why.contains("others can write") && why.contains("chmod"),
        "{why}"
    );
    mode(0o604).unwrap();
    let mut warned = String::new();
    patchbay::users::read(&site.list(), |why| warned = why).unwrap();
    assert!(warned.contains("others can read"), "{warned}");
    edit(&site.list(), |users| users.set_role("otto", Role::View)).unwrap();
    let kept = std::fs::metadata(site.list()).unwrap().permissions().mode();
    assert_eq!(kept & 0o777, 0o604, "its mode is the operator's");
}

/// More guesses than one frontend may have checked at a time: the rest is told so, and others are served meanwhile.
#[test]
fn guesses_wait_in_a_queue_of_their_own() {
    let site = Site::open();
    (1..40).for_each(|id| site.login(id, "anna", "guessed it"));
    login(&site.other, 1, "otto", "of the backend");
    assert_eq!(site.old.inbox.wait().kind, Kind::LOGIN);
    let mut faults: Vec<Fault> = (1..40).map(|_| refused(&site.front)).collect();
    faults.retain(|fault| fault.kind == FaultKind::Busy);
    assert!(!faults.is_empty());
    assert!(faults[0].message.contains("frontend_share_percent"));
    let anna = site.enter(50, "anna", "sonnenschein");
    assert_eq!(anna.role, "expert");
}

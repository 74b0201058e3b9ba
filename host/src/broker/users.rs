//! Logins that the host's own list of users decides.
//!
//! Checking a password takes tens of milliseconds, by design: it is done on a thread of its own, one after
//! the other, and what waits for it stands in the pending table as a login like any other, with a deadline.
//! Whom the list lets in is logged in at the backend on the host's word; no backend sees the secret.

use super::login::no_route;
use super::pending::{Origin, Request, What};
use super::route::Proof;
use super::session::Applicant;
use super::trip::Trip;
use super::{Broker, Place};
use crate::users::{Users, UsersFile};
use patchbay_abi::{Fault, FaultKind, Side};
use patchbay_sdk::Role;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How often the list is looked at, so that whom it does not name any more is logged out soon.
const LOOK: Duration = Duration::from_secs(5);

/// The life of a backend that is not asked yet.
const NOWHERE: u64 = 0;

/// Where logins wait to be checked.
pub(super) type Queue = SyncSender<Check>;

/// A login to be checked.
pub(super) struct Check {
    id: u64,
    origin: Origin,
    applicant: Applicant,
    proof: Proof,
}

impl Broker {
    /// From now on frontends whose authority is the host's list are served: by this list, on a thread that ends
    /// with the broker.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn keep_users(self: &Arc<Self>, list: UsersFile) -> std::io::Result<()> {
        let (queue, checks) = sync_channel(self.limits().logins_pending);
        let broker = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name("users".to_owned());
        thread.spawn(move || run(&broker, list, &checks))?;
        // A second list would find the first one's queue here, and its thread ends at once.
        let _ = self.checks.set(queue);
        Ok(())
    }

    /// Lets the list decide about a login.
    pub(super) fn ask_users(
        &self,
        origin: Origin,
        applicant: Applicant,
        proof: Proof,
    ) -> Result<(), Fault> {
        let queue = self.checks.get().ok_or_else(no_list)?;
        let seat = self.seats[origin.at.seat]
            .backend_now()
            .ok_or_else(no_route)?;
        let epoch = NOWHERE;
        let id = {
            let mut state = self.lock();
            self.is_alive(origin)?;
            self.check_room_for_login(&state, origin.at.seat)?;
            state.pending.enter(Request {
                origin: Some(origin),
                backend: Place { seat, epoch },
                session: 0,
                what: What::Check,
                deadline: Instant::now() + self.limits().login,
                trip: Trip::login(),
            })
        };
        let check = Check {
            id,
            origin,
            applicant,
            proof,
        };
        // So many as may wait for backends may wait here too, so that guessing keeps nobody out elsewhere.
        queue.try_send(check).map_err(|_| {
            self.take(id);
            let limit = self.limits().logins_pending;
            let (what, then) = ("logins at a time", "try again later");
            self.limit_hit("max_logins_pending", limit, what, then)
        })
    }

    /// The list has decided.
    fn checked(&self, check: Check, verdict: Result<Role, Fault>) {
        // Whoever has given up, or was told that it took too long, is not logged in any more.
        if self.take(check.id).is_none() {
            return;
        }
        let (origin, mut applicant) = (check.origin, check.applicant);
        let (user, client) = (applicant.user.clone(), applicant.client.clone());
        let seat = &self.seats[origin.at.seat];
        let entered = verdict.and_then(|role| {
            let route = seat.route().ok_or_else(no_route)?;
            applicant.role = role.min(route.ceiling);
            let backend = seat.backend_now().ok_or_else(no_route)?;
            self.enter_login(origin, applicant, backend)
        });
        if let Err(fault) = entered {
            self.count("logins_refused");
            self.turned_away(origin, Trip::login(), &fault);
            self.note_refused_login(origin, &client, &fault);
            self.record_no_login(origin, &user, &client, &fault);
            self.refuse(origin, fault);
        }
    }

    /// Who is logged in may do what the list says now; whom it does not name is logged out.
    fn apply(&self, users: &Users) {
        let mut gone = Vec::new();
        {
            let mut state = self.lock();
            for (id, session) in state.sessions.iter_mut() {
                let route = self.seats[session.frontend.seat].route();
                let ceiling = route.map_or(Role::View, |route| route.ceiling);
                match users.get(&session.user) {
                    _ if session.authority.is_some() => {}
                    Some(user) => session.role = user.role.min(ceiling),
                    None => gone.push(*id),
                }
            }
        }
        for session in gone {
            tracing::info!(session, "is not in the user list any more");
            self.end_session(session);
        }
    }
}

fn run(broker: &Weak<Broker>, mut list: UsersFile, checks: &Receiver<Check>) {
    // Not before somebody asks it: there need not be a list.
    let mut asked = false;
    loop {
        let check = checks.recv_timeout(LOOK);
        let Some(broker) = broker.upgrade() else {
            return;
        };
        asked |= check.is_ok();
        if asked
            && list.look()
            && let Ok(users) = list.users()
        {
            broker.apply(users);
        }
        match check {
            Ok(check) if broker.lock().pending.get(check.id).is_none() => {}
            Ok(check) => {
                let verdict = verdict(&list, &check);
                broker.checked(check, verdict);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn verdict(list: &UsersFile, check: &Check) -> Result<Role, Fault> {
    let users = list.users().map_err(|_| no_list())?;
    let name = &check.applicant.user;
    let found = match &check.proof {
        Proof::Secret(secret) => users.check(name, secret),
        Proof::Rule => users.get(name),
    };
    found.map(|user| user.role).ok_or_else(|| {
        let text = match check.proof {
            Proof::Secret(_) => "wrong user name or password",
            Proof::Rule => {
                tracing::warn!(user = name, "a [[frontend.login]] leads to a user that is not in the user list");
                "this login leads to a user whom the gateway does not know; an operator has to add them"
            }
        };
        Fault::new(FaultKind::Unauthorized, text)
    })
}

fn no_list() -> Fault {
    let text = "the gateway's list of users cannot be read, so nobody can log in; the log says why, to operators";
    Fault::new(FaultKind::Unavailable, text).side(Side::Gateway)
}

//! An instance as the broker sees it: it outlives the plugin's own lives.

use super::idle::RunNote;
use super::journal::Journal;
use super::life::{Build, LifeNote, Phase};
use super::lines::Lines;
use super::wish::{Wish, Wishes};
use crate::config::LogLevel;
use arc_swap::ArcSwap;
use patchbay_abi::{Fault, FaultKind, Message, Port, Secret, head};
use patchbay_sdk::Role;
use prometheus_client::metrics::counter::Counter;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What an instance tells of its life.
#[derive(Debug)]
pub enum Life {
    /// It serves from now on.
    Ready,
    /// It answers the question of that number whether anybody is there.
    Answers(u64),
    /// It cannot start, or cannot go on.
    Failed(Fault),
    /// It has finished, as it was asked to.
    Stopped,
}

/// An instance of the configuration.
pub struct Seat {
    id: String,
    lines: Lines,
    health: Mutex<head::Health>,
    life: Mutex<LifeNote>,
    /// What it logs, if an operator wants it otherwise than the configuration.
    pub(super) level: Mutex<Option<LogLevel>>,
    /// Of a backend: its events and their bytes.
    pub(super) events: OnceLock<(Counter, Counter)>,
    run: Mutex<RunNote>,
    /// What is wanted of its supervisor.
    wishes: Wishes,
    /// It is in the configuration no more, and never comes back.
    retired: AtomicBool,
    duty: Duty,
}

enum Duty {
    Backend(Journal),
    Frontend {
        route: ArcSwap<Route>,
        /// Where requests go at present.
        backend: AtomicUsize,
    },
}

/// Where a frontend's clients get to, and as whom.
#[derive(Debug)]
pub struct Route {
    /// The backend's position among the seats. It is also the authority of this frontend: it says
    /// who clients are, also when requests go to another one, and only it gets their secrets.
    pub backend: usize,
    /// Nobody gets more than this through the frontend.
    pub ceiling: Role,
    /// What clients send → who they are; the first that fits.
    pub logins: Vec<LoginRule>,
    /// Whether logins that no rule fits go to the backend as they are.
    pub forward_unmapped: bool,
}

/// What old clients send, and who they are.
#[derive(Debug)]
pub struct LoginRule {
    /// The name that the client sends.
    pub client_user: String,
    /// The SHA-256 of the password that it must send; any if `None`.
    pub client_secret_sha256: Option<[u8; 32]>,
    /// Who that is at the backend.
    pub user: String,
    /// Their password there.
    pub secret: Secret,
}

impl Seat {
    /// A backend that has not started yet.
    pub fn backend(id: &str, journal_bytes: usize, journal_age: Duration) -> Self {
        Seat::new(id, Duty::Backend(Journal::new(journal_bytes, journal_age)))
    }

    /// A frontend that has not started yet.
    pub fn frontend(id: &str, route: Route) -> Self {
        let backend = AtomicUsize::new(route.backend);
        let route = ArcSwap::from_pointee(route);
        Seat::new(id, Duty::Frontend { route, backend })
    }

    fn new(id: &str, duty: Duty) -> Self {
        Seat {
            id: id.to_owned(),
            lines: Lines::default(),
            health: Mutex::new(starting()),
            life: Mutex::default(),
            level: Mutex::default(),
            events: OnceLock::new(),
            run: Mutex::default(),
            wishes: Wishes::default(),
            retired: AtomicBool::new(false),
            duty,
        }
    }

    /// Its name in the configuration.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn journal(&self) -> Option<&Journal> {
        match &self.duty {
            Duty::Backend(journal) => Some(journal),
            Duty::Frontend { .. } => None,
        }
    }

    pub(super) fn route(&self) -> Option<Arc<Route>> {
        match &self.duty {
            Duty::Frontend { route, .. } => Some(route.load_full()),
            Duty::Backend(_) => None,
        }
    }

    /// From now on clients get in by this. Where requests go at present is not changed.
    pub(super) fn admit_by(&self, now: Route) {
        if let Duty::Frontend { route, .. } = &self.duty {
            route.store(Arc::new(now));
        }
    }

    /// Whether clients come in here.
    pub fn is_frontend(&self) -> bool {
        matches!(self.duty, Duty::Frontend { .. })
    }

    /// Whether it is in the configuration no more.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// The seat of the backend that a frontend's requests go to now.
    pub(super) fn backend_now(&self) -> Option<usize> {
        match &self.duty {
            Duty::Frontend { backend, .. } => Some(backend.load(Ordering::Acquire)),
            Duty::Backend(_) => None,
        }
    }

    /// From now on a frontend's requests go to another backend. The one before.
    pub(super) fn route_to(&self, now: usize) -> Option<usize> {
        match &self.duty {
            Duty::Frontend { backend, .. } => Some(backend.swap(now, Ordering::AcqRel)),
            Duty::Backend(_) => None,
        }
    }

    pub(super) fn connect(&self, epoch: u64, port: Port) {
        *self.lock_health() = starting();
        self.lines.connect(epoch, port);
    }

    /// A life begins beside the present one.
    pub(super) fn prepare(&self, epoch: u64, port: Port) {
        self.lines.prepare(epoch, port);
    }

    /// The life that began beside the present one takes over, and that one stays beside it until it
    /// is disconnected. Whether there was such a life.
    pub(super) fn take_over(&self, epoch: u64) -> bool {
        let Some(said) = self.lines.take_over(epoch) else {
            return false;
        };
        *self.lock_health() = said.unwrap_or_else(starting);
        true
    }

    /// From now on it is not spoken to any more. What is returned is dropped when its debts are
    /// settled, and not under our lock: the plugin's own code runs then.
    pub(super) fn disconnect(&self, epoch: u64) -> Option<Port> {
        self.lines.disconnect(epoch)
    }

    /// How to speak to it now, and in which life it is.
    pub(super) fn port(&self) -> Option<(u64, Port)> {
        self.lines.now()
    }

    /// How to speak to that life of it, if it has not ended.
    pub(super) fn port_in(&self, epoch: u64) -> Option<Port> {
        self.lines.of(epoch)
    }

    /// Notes how it says it is, in that life; changes go to the log, if there is room.
    pub(super) fn heard(&self, epoch: u64, message: &Message, may_log: impl Fn() -> bool) {
        let Ok(now) = message.read_head::<head::Health>() else {
            return;
        };
        if !self.lines.heard(epoch, &now) {
            return;
        }
        let before = std::mem::replace(&mut *self.lock_health(), now.clone());
        let reason = now.reason.as_str();
        match now.state.as_str() {
            _ if before == now || !may_log() => {}
            "up" => tracing::info!(instance = self.id, "up"),
            "degraded" => tracing::warn!(instance = self.id, reason, "degraded"),
            _ => tracing::warn!(instance = self.id, reason, "down"),
        }
    }

    /// How it says it is.
    pub(super) fn health(&self) -> head::Health {
        self.lock_health().clone()
    }

    /// Where it is in its life.
    pub fn life(&self) -> LifeNote {
        self.lock_life().clone()
    }

    /// Notes what it is an instance of.
    pub fn is_of(&self, plugin: &str) {
        plugin.clone_into(&mut self.lock_life().plugin);
    }

    /// Notes what its plugin was built as.
    pub fn is_built(&self, build: Build) {
        self.lock_life().build = build;
    }

    /// Notes where it is in its life, and why if that needs a word.
    pub fn enters(&self, phase: Phase, reason: &str) {
        let mut life = self.lock_life();
        life.failures += u64::from(matches!(phase, Phase::Waiting | Phase::Quarantined));
        life.phase = phase;
        life.since = Instant::now();
        life.until = None;
        reason.clone_into(&mut life.reason);
        drop(life);
        if phase == Phase::Running {
            let mut health = self.lock_health();
            // Whoever serves and says nothing has nothing to complain of.
            if *health == starting() {
                health.state = "up".to_owned();
            }
        }
    }

    /// Notes that it has failed and is started anew after that pause.
    pub fn waits(&self, pause: Duration, reason: &str) {
        self.enters(Phase::Waiting, reason);
        self.lock_life().until = Some(Instant::now() + pause);
    }

    /// A thread of one of its lives hangs and is left behind; how many there are now.
    pub fn abandons(&self) -> usize {
        let mut life = self.lock_life();
        life.abandoned += 1;
        life.abandoned
    }

    /// A thread that was left behind has ended; how many are left.
    pub fn recovers(&self) -> usize {
        let mut life = self.lock_life();
        life.abandoned = life.abandoned.saturating_sub(1);
        life.abandoned
    }

    /// Puts a wish to its supervisor, in place of one that it has not begun to grant.
    pub fn wish(&self, wish: Wish) {
        self.wishes.put(wish);
    }

    /// Returns when something is wanted.
    pub async fn wished(&self) -> Wish {
        self.wishes.next().await
    }

    /// What it said last of what runs there.
    pub(super) fn run_note(&self) -> MutexGuard<'_, RunNote> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_life(&self) -> MutexGuard<'_, LifeNote> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_health(&self) -> MutexGuard<'_, head::Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn starting() -> head::Health {
    head::Health {
        state: "starting".to_owned(),
        reason: String::new(),
    }
}

/// What a client has sent that a login rule fits.
pub(super) struct Sent {
    user: String,
    secret_sha256: [u8; 32],
}

impl Route {
    /// What a client has sent, if a rule fits it.
    pub(super) fn sent(&self, user: &str, secret: &Secret) -> Option<Sent> {
        let sent = Sent {
            user: user.to_owned(),
            secret_sha256: Sha256::digest(secret.expose().as_bytes()).into(),
        };
        self.rule_of(&sent).is_some().then_some(sent)
    }

    /// The first rule that fits what a client has sent.
    pub(super) fn rule_of(&self, sent: &Sent) -> Option<&LoginRule> {
        self.logins.iter().find(|rule| {
            let sum = rule.client_secret_sha256;
            rule.client_user == sent.user && sum.is_none_or(|sum| sum == sent.secret_sha256)
        })
    }

    /// Who a client is at the backend, by what it sent.
    pub(super) fn principal(&self, user: &str, secret: Secret) -> Result<(String, Secret), Fault> {
        let sent: [u8; 32] = Sha256::digest(secret.expose().as_bytes()).into();
        let fits = |rule: &&LoginRule| {
            rule.client_user == user && rule.client_secret_sha256.is_none_or(|sum| sum == sent)
        };
        match self.logins.iter().find(fits) {
            Some(rule) => Ok((rule.user.clone(), rule.secret.clone())),
            None if self.forward_unmapped => Ok((user.to_owned(), secret)),
            None => Err(Fault::new(
                FaultKind::Unauthorized,
                "wrong user name or password: this way in accepts only the logins that its \
                 configuration lists",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(forward_unmapped: bool) -> Route {
        let rule = LoginRule {
            client_user: "ibex".into(),
            client_secret_sha256: Some(Sha256::digest(b"constant").into()),
            user: "admin".into(),
            secret: Secret::new("real"),
        };
        Route {
            backend: 0,
            ceiling: Role::Admin,
            logins: vec![rule],
            forward_unmapped,
        }
    }

    #[test]
    fn a_clients_constant_becomes_the_real_login_and_is_not_forwarded() {
        let (user, secret) = route(true)
            .principal("ibex", Secret::new("constant"))
            .unwrap();
        assert_eq!((user.as_str(), secret.expose()), ("admin", "real"));
    }

    #[test]
    fn what_no_rule_fits_is_forwarded_or_refused() {
        let (user, secret) = route(true).principal("ibex", Secret::new("other")).unwrap();
        assert_eq!((user.as_str(), secret.expose()), ("ibex", "other"));
        let fault = route(false)
            .principal("ibex", Secret::new("other"))
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unauthorized);
    }
}

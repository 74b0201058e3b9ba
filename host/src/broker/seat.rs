//! An instance as the broker sees it: it outlives the plugin's own lives.

use super::idle::RunNote;
use super::journal::Journal;
use super::life::{Build, LifeNote, Phase};
use super::lines::Lines;
use super::route::Route;
use super::wish::{Wish, Wishes};
use crate::config::LogLevel;
use arc_swap::ArcSwap;
use patchbay_abi::{Fault, Message, Port, head};
use prometheus_client::metrics::counter::Counter;
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

    /// Why it says that it is down, if it does.
    pub(super) fn why_down(&self) -> Option<String> {
        let health = self.lock_health();
        (health.state == "down").then(|| health.reason.clone())
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

    /// Notes the number of its own process, if it is in one.
    pub fn lives_in(&self, process: Option<u32>) {
        self.lock_life().process = process;
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

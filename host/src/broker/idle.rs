//! A frontend is led to another backend as soon as nothing is under way: an operator's `route --when-idle`.
//!
//! Idle is a frontend none of whose requests waits for an answer, while its backend's last `state` event of its present
//! life said that nothing runs there (one that tells no states, or has no present life, counts as idle), for a second
//! on end: script servers say that they are idle between the parts of a script as well. The switch is made in the same moment in
//! which this is found to hold, so that no request slips in between.

use super::{Broker, Place, State};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// For so long it must have been idle.
const SETTLED: Duration = Duration::from_secs(1);

/// The run states in which nothing runs.
const IDLE: [&str; 3] = ["idle", "idle-after-failure", "no-environment"];

/// No run state is longer, in bytes.
const LONGEST: usize = 64;

/// The switches that wait.
#[derive(Default)]
pub(super) struct Waiting {
    by_frontend: Mutex<BTreeMap<usize, Switch>>,
    bell: Notify,
}

struct Switch {
    to: usize,
    idle_since: Option<Instant>,
    /// What it waits for.
    why: String,
}

/// Of so many lives of a backend is noted what they said: one may be about to take over from another.
const LIVES: usize = 3;

/// What each of a backend's lives said last of what runs there.
#[derive(Default)]
pub(super) struct RunNote {
    by_epoch: BTreeMap<u64, String>,
}

impl RunNote {
    /// What runs there, in that life; `None` if it has not said.
    fn of(&self, epoch: u64) -> Option<&str> {
        self.by_epoch.get(&epoch).map(String::as_str)
    }

    /// A life has told its state.
    pub(super) fn note(&mut self, epoch: u64, body: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Body {
            run: String,
        }
        let said = serde_json::from_slice::<Body>(body);
        let run = said.ok().map(|body| body.run);
        if let Some(run) = run.filter(|run| run.len() <= LONGEST) {
            self.by_epoch.insert(epoch, run);
        }
        if self.by_epoch.len() > LIVES {
            self.by_epoch.pop_first();
        }
    }
}

impl Broker {
    /// Leads a frontend to a backend as soon as nothing is under way, both by their ids; in place of
    /// what was waiting.
    ///
    /// # Errors
    /// If there is no such frontend or backend: a sentence that names those that there are.
    pub fn route_when_idle(&self, frontend: &str, backend: &str) -> Result<(), String> {
        let _whole = self.lock_routes();
        let (from, to) = self.ends_of(frontend, backend)?;
        self.drop_switch(from);
        if self.seats[from].backend_now() != Some(to) {
            let switch = Switch {
                to,
                idle_since: None,
                why: String::new(),
            };
            self.waiting.lock().insert(from, switch);
            tracing::info!(frontend, backend, "is routed to another backend when idle");
            self.waiting.bell.notify_one();
        }
        Ok(())
    }

    /// Nothing waits to be done with that frontend any more.
    pub(super) fn drop_switch(&self, frontend: usize) {
        self.waiting.lock().remove(&frontend);
    }

    /// That backend goes; nobody waits to be led there any more.
    pub(super) fn drop_switches_to(&self, backend: usize) {
        self.waiting.lock().retain(|_, switch| switch.to != backend);
    }

    /// Where a frontend will lead when it is idle, and what it waits for.
    pub(super) fn switch_of(&self, frontend: usize) -> Option<(usize, String)> {
        let waiting = self.waiting.lock();
        let switch = waiting.get(&frontend)?;
        Some((switch.to, switch.why.clone()))
    }

    /// Returns when something waits for a frontend to be idle.
    pub async fn switch_wanted(&self) {
        while self.waiting.lock().is_empty() {
            self.waiting.bell.notified().await;
        }
    }

    /// Makes those of the switches that wait whose time has come.
    pub fn switch_if_idle(&self) {
        let _whole = self.lock_routes();
        self.waiting.lock().retain(|from, switch| {
            let busy = self.is_busy(&self.lock(), *from);
            match busy {
                Some(why) => {
                    switch.why = why;
                    switch.idle_since = None;
                    true
                }
                None => {
                    "it has just become idle".clone_into(&mut switch.why);
                    let since = *switch.idle_since.get_or_insert_with(Instant::now);
                    since.elapsed() < SETTLED || !self.lead_if_idle(*from, switch.to)
                }
            }
        });
    }

    /// Whether it was idle, and is led there now.
    fn lead_if_idle(&self, from: usize, to: usize) -> bool {
        let before = {
            // Requests are admitted under this lock: none slips in between.
            let state = self.lock();
            if self.is_busy(&state, from).is_some() {
                return false;
            }
            self.seats[from].route_to(to)
        };
        self.readers_follow(from, before, to);
        true
    }

    /// What is under way through a frontend, if anything is.
    fn is_busy(&self, state: &State, frontend: usize) -> Option<String> {
        let asks = state.pending.count_of(frontend);
        match asks {
            0 => {}
            1 => return Some("a request is under way".to_owned()),
            _ => return Some(format!("{asks} requests are under way")),
        }
        let backend = self.seats[frontend].backend_now()?;
        let (epoch, _) = self.seats[backend].port()?;
        let note = self.seats[backend].run_note();
        let run = note.of(epoch).filter(|run| !IDLE.contains(run))?;
        let run: String = run.chars().filter(|c| !c.is_control()).collect();
        Some(format!("`{}` says `{run}`", self.seats[backend].id()))
    }

    /// A backend tells its state.
    pub(super) fn note_run(&self, from: Place, kind: &str, body: &[u8]) {
        if kind == "state" {
            self.seats[from.seat].run_note().note(from.epoch, body);
        }
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Switch>> {
        self.by_frontend
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

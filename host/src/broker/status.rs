//! What operators see of the broker.

use super::{Broker, Holder, Phase, Seat};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// One instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceStatus {
    /// Its name in the configuration.
    pub id: String,
    /// `backend` or `frontend`.
    pub role: String,
    /// What it is an instance of.
    pub plugin: String,
    /// Where it is in its life.
    pub phase: String,
    /// `up`, `degraded`, `down`, or `starting` while it has said nothing.
    pub health: String,
    /// Why it is not up, or not running; empty if there is nothing to say.
    pub reason: String,
    /// Seconds in this phase.
    pub since_s: u64,
    /// Seconds until it is started anew, if it waits for that.
    pub starts_in_s: Option<u64>,
    /// The number of its own process, if it is in one.
    #[serde(default)]
    pub process: Option<u32>,
    /// What that takes of the memory, where the system says so.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// How often it has failed since the gateway was started.
    pub failures: u64,
    /// Threads of its earlier lives that hang and were left behind.
    pub threads_abandoned: usize,
    /// Of a frontend: the backend that its requests go to.
    pub to: Option<String>,
    /// Of a frontend: the backend that they will go to when nothing is under way.
    #[serde(default)]
    pub then: Option<String>,
    /// Clients that are logged in: of a frontend its own, of a backend those that it knows.
    pub sessions: usize,
    /// Of a backend: who has control of it.
    #[serde(default)]
    pub control: Option<Holder>,
}

/// One client that is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// The host's number.
    pub session: u64,
    /// Who it is, at its authority.
    pub user: String,
    /// What it may do.
    pub role: String,
    /// Where it is, as its frontend says.
    pub client: String,
    /// Through which frontend it came.
    pub frontend: String,
    /// Which backend knows it at present.
    pub backend: Option<String>,
    /// Requests without an answer.
    pub in_flight: usize,
}

/// Rounded up, so that only what is due is 0.
fn seconds_until(moment: Instant) -> u64 {
    let left = moment.saturating_duration_since(Instant::now());
    left.as_millis().div_ceil(1000) as u64
}

impl Broker {
    /// All instances, in the order of the configuration.
    pub fn instances(&self) -> Vec<InstanceStatus> {
        let sessions = self.sessions();
        self.present()
            .map(|(position, seat)| self.instance(position, seat, &sessions))
            .collect()
    }

    /// How everything is, in a line. Every lock of the broker that a request needs is taken for it.
    pub fn pulse(&self) -> String {
        let instances = self.instances();
        let clients = self.sessions().len();
        let mut line = format!("{clients} clients");
        for instance in instances {
            let well = instance.phase == "running" && matches!(&*instance.health, "up" | "");
            if !well {
                let (id, phase, health) = (instance.id, instance.phase, instance.health);
                line += &format!("; {id} is {phase}, {health}");
            }
        }
        line.replace(char::is_control, " ")
    }

    fn instance(&self, position: usize, seat: &Seat, sessions: &[SessionStatus]) -> InstanceStatus {
        let to = seat.backend_now().map(|backend| self.seats()[backend].id());
        let (health, life) = (seat.health(), seat.life());
        let (then, waits_for) = self.switch_of(position).unzip();
        let of_this = |session: &&SessionStatus| match to {
            Some(_) => session.frontend == seat.id(),
            None => session.backend.as_deref() == Some(seat.id()),
        };
        InstanceStatus {
            id: seat.id().to_owned(),
            role: if to.is_some() { "frontend" } else { "backend" }.to_owned(),
            plugin: life.plugin,
            phase: life.phase.name().to_owned(),
            health: match life.phase {
                // What it said in a life that is over holds no more.
                Phase::Waiting | Phase::Quarantined | Phase::Stopped => "down".to_owned(),
                Phase::Starting | Phase::Running | Phase::Stopping => health.state,
            },
            reason: [life.reason, health.reason, waits_for.unwrap_or_default()]
                .into_iter()
                .find(|reason| !reason.is_empty())
                .unwrap_or_default(),
            since_s: life.since.elapsed().as_secs(),
            starts_in_s: life.until.map(seconds_until),
            process: life.process,
            memory_bytes: life.process.and_then(crate::metrics::memory_of),
            failures: life.failures,
            threads_abandoned: life.abandoned,
            to: to.map(str::to_owned),
            then: then.map(|then| self.seats[then].id().to_owned()),
            sessions: sessions.iter().filter(of_this).count(),
            control: self.holder(position),
        }
    }

    /// All clients that are logged in, by number.
    pub fn sessions(&self) -> Vec<SessionStatus> {
        let state = self.lock();
        let mut sessions: Vec<SessionStatus> = state
            .sessions
            .iter()
            .map(|(id, session)| SessionStatus {
                session: *id,
                user: session.user.clone(),
                role: session.role.as_str().to_owned(),
                client: session.client.clone(),
                frontend: self.seats()[session.frontend.seat].id().to_owned(),
                backend: session.at().map(|at| self.seats()[at.seat].id().to_owned()),
                in_flight: session.in_flight.sum(),
            })
            .collect();
        sessions.sort_by_key(|session| session.session);
        sessions
    }
}

//! Whether the gateway is ready: whether every instance serves.
//!
//! An instance that starts, waits to be started anew, is quarantined or ends does not serve. A backend
//! whose script server is away does serve: its clients are told so at once, and neither a restart of the
//! gateway nor another gateway would help them. That is said, and it is an alert's business.

use crate::broker::{InstanceStatus, Phase};
use serde::Serialize;

/// Whether the gateway is ready, and why not.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Every instance serves.
    pub ready: bool,
    /// One sentence for people.
    pub reason: String,
    /// Who does not serve, or says that it is not up.
    pub instances: Vec<Complaint>,
}

/// One instance that is not as it should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// Its name in the configuration.
    pub id: String,
    /// Whether the gateway is not ready because of it.
    pub blocks: bool,
    /// Where it is in its life.
    pub phase: String,
    /// How it says it is.
    pub health: String,
    /// Why.
    pub reason: String,
}

/// Judges what the broker says of its instances.
pub fn readiness(instances: &[InstanceStatus]) -> Readiness {
    let complaints = instances.iter().filter_map(complaint);
    let complaints: Vec<Complaint> = complaints.collect();
    let ready = !complaints.iter().any(|complaint| complaint.blocks);
    let said: Vec<String> = complaints.iter().map(Complaint::said).collect();
    let reason = match said.is_empty() {
        true => "every instance serves and is up".to_owned(),
        false => said.join("; "),
    };
    Readiness {
        ready,
        reason,
        instances: complaints,
    }
}

fn complaint(instance: &InstanceStatus) -> Option<Complaint> {
    let blocks = instance.phase != Phase::Running.name();
    (blocks || instance.health != "up").then(|| Complaint {
        id: instance.id.clone(),
        blocks,
        phase: instance.phase.clone(),
        health: instance.health.clone(),
        reason: instance.reason.clone(),
    })
}

impl Complaint {
    fn said(&self) -> String {
        let Complaint {
            id, phase, health, ..
        } = self;
        let is = match self.blocks {
            true => format!("`{id}` is {phase}"),
            false => format!("`{id}` serves, but is {health}"),
        };
        match self.reason.is_empty() {
            true => is,
            false => format!("{is}: {}", self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(phase: &str, health: &str, reason: &str) -> InstanceStatus {
        let [id, role, plugin] = ["nicos", "backend", "nicos"].map(str::to_owned);
        InstanceStatus {
            id,
            role,
            plugin,
            phase: phase.into(),
            health: health.into(),
            reason: reason.into(),
            since_s: 1,
            failures: 0,
            to: None,
            control: None,
            then: None,
            starts_in_s: None,
            threads_abandoned: 0,
            process: None,
            memory_bytes: None,
            sessions: 0,
        }
    }

    #[test]
    fn a_server_that_is_away_is_said_and_does_not_make_the_gateway_unready() {
        let away = readiness(&[instance("running", "down", "no route")]);
        assert!(away.ready && !away.instances[0].blocks);
        assert_eq!(away.reason, "`nicos` serves, but is down: no route");
    }

    #[test]
    fn whoever_does_not_serve_does() {
        let away = readiness(&[instance("quarantined", "starting", "wrong configuration")]);
        assert!(!away.ready);
        assert_eq!(away.reason, "`nicos` is quarantined: wrong configuration");
        assert!(readiness(&[instance("running", "up", "")]).ready);
    }
}

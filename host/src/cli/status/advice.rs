//! What is wrong with an instance, and what to do, in a sentence or two.

use crate::broker::InstanceStatus;
use crate::cli::table::span;

/// A word for how it is.
pub(super) fn state_of(instance: &InstanceStatus) -> String {
    match (instance.phase.as_str(), instance.starts_in_s) {
        ("waiting", Some(seconds)) => format!("again in {}", span(seconds)),
        ("running", _) if instance.health != "up" => instance.health.clone(),
        (phase, _) => phase.to_owned(),
    }
}

/// Whether it comes right by being started anew by hand, and by nothing else.
pub(super) fn needs_restart(instance: &InstanceStatus) -> bool {
    instance.phase == "quarantined"
}

/// What to do, or to wait for; empty if it is well.
pub(super) fn on(instance: &InstanceStatus) -> Vec<String> {
    let (id, hanging) = (&instance.id, instance.threads_abandoned);
    let other_side = match instance.role.as_str() {
        "frontend" => "broker or network",
        _ => "script server",
    };
    let phase = match (instance.phase.as_str(), instance.health.as_str()) {
        ("running", "up") => None,
        ("running", "degraded") => Some(format!("{id} works in part; the reason stands above")),
        ("starting", _) | ("running", "starting") => {
            Some(format!("{id} is starting: look again in a moment"))
        }
        ("running", _) => Some(format!(
            "{id} runs, but not its {other_side}: see that it does. {id} tries on by itself"
        )),
        ("stopping", _) => Some(format!(
            "{id} is finishing what it has: look again in a moment"
        )),
        ("stopped", _) => Some(format!("{id} has ended, as it was asked to")),
        ("waiting", _) => Some(format!(
            "{id} has failed and starts anew by itself: look again in a moment"
        )),
        ("quarantined", _) => Some(format!(
            "{id} does not start anew by itself any more: mend the cause, which stands above, then type"
        )),
        (other, _) => Some(format!("{id} is {other}")),
    };
    let left = match hanging {
        0 => None,
        1 => Some(format!(
            "a thread of {id} hangs, a mistake in its plugin: tell its author. It goes when the gateway is restarted"
        )),
        _ => Some(format!(
            "{hanging} threads of {id} hang, a mistake in its plugin: tell its author. They go when the gateway is \
             restarted"
        )),
    };
    left.into_iter().chain(phase).collect()
}

//! Requests whose deadline has passed.

use super::pending::{Request, What};
use super::{Broker, State};
use patchbay_abi::{Fault, FaultKind, Side};
use std::time::{Duration, Instant};

/// Later than anything that may be due.
const EVER: Duration = Duration::from_secs(1 << 30);

impl Broker {
    /// Answers what has waited for too long, in the backend's place. Returns when to come again: no
    /// request that is entered meanwhile can expire before that.
    pub fn sweep(&self) -> Instant {
        let now = Instant::now();
        let expired = {
            let mut state = self.lock();
            // Whoever comes while we are at it asks for another round.
            state.sweep_at = Some(now + EVER);
            state.pending.expired(now)
        };
        for id in expired {
            self.expire(id);
        }
        let limits = self.limits();
        let shortest = limits.request.min(limits.long).min(limits.login);
        let snapshots = self.tend(now);
        let mut state = self.lock();
        let deadline = state.pending.next_deadline();
        let times = [Some(now + shortest), deadline, snapshots];
        let next = times.into_iter().flatten().min().unwrap_or(now);
        state.sweep_at = Some(next);
        next
    }

    /// Returns when the sweeper has to come before the time that it was told.
    pub async fn sooner(&self) {
        self.sooner.notified().await;
    }

    /// Something is due at that time.
    pub(super) fn sweep_by(&self, state: &mut State, at: Instant) {
        if state.sweep_at.is_some_and(|planned| at < planned) {
            state.sweep_at = Some(at);
            self.sooner.notify_one();
        }
    }

    fn expire(&self, id: u64) {
        let Some(request) = self.take(id) else {
            return;
        };
        if let What::Noting(answer) = &request.what {
            // It has an answer; only the disk did not take it in time.
            self.count("answers_not_noted");
            return self.answer(&request, answer.clone());
        }
        let (at, fault) = (request.backend, self.too_late(&request));
        let (instance, said) = (self.seats[at.seat].id(), fault.message.as_str());
        self.count("requests_timed_out");
        tracing::warn!(
            instance,
            request = id,
            fault = said,
            "a request was not answered"
        );
        self.settle_taken(id, request, Err(fault));
        self.tell_cancelled(at, id);
    }

    fn too_late(&self, request: &Request) -> Fault {
        if let What::Check = &request.what {
            let text =
                "the gateway did not get round to checking this login; try again in a moment";
            return Fault::new(FaultKind::Timeout, text).side(Side::Gateway);
        }
        let backend = self.seats[request.backend.seat].id();
        if let What::Call {
            parked: Some(_), ..
        } = &request.what
        {
            let text =
                format!("`{backend}` did not log this client in again in time; nothing was done");
            return Fault::new(FaultKind::Unavailable, text);
        }
        let limits = self.limits();
        let (what, limit, unsure) = match &request.what {
            What::Login | What::Check => ("the login", limits.login, false),
            What::Keyed { op, .. } => (op.name, limits.request, op.changes),
            What::Noting(_) => ("a request", limits.request, true),
            What::Look { op, .. } => (op.name, limits.request, false),
            What::Refresh(look) => (look.op(), limits.request, false),
            What::Call { op, .. } if op.long => (op.name, limits.long, op.changes),
            What::Call { op, .. } => (op.name, limits.request, op.changes),
        };
        let then = if unsure {
            "; it may or may not have been done, look before you ask again"
        } else {
            ""
        };
        let text = format!(
            "`{backend}` did not answer {what} within {} s{then}",
            limit.as_secs()
        );
        Fault::new(FaultKind::Timeout, text)
    }
}

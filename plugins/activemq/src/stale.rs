//! The rule for requests that have waited for the gateway longer than their senders did: they are not carried out.
//!
//! A script that somebody sent on Friday, and gave up, must not run when the gateway is started on Monday. Whether the
//! sender is still there its temporary queue tells, by the broker's advisories ([`crate::presence`]). They may be late,
//! and a client may be on its way back after a restart of the broker, so that a request of somebody unknown is kept for a
//! while first. It is not acknowledged meanwhile: if our connection ends, the broker delivers it again.

use std::sync::{Arc, MutexGuard, PoisonError};

use patchbay_dialect_json::Wish;

use crate::advisory::Advisory;
use crate::client::Job;
use crate::desk::Desk;
use crate::held::Held;
use crate::presence::belongs;
use crate::refusals;

impl Desk {
    /// Keeps a request whose sender is not known to be there. `Some`: it may be carried out.
    pub fn hold(self: &Arc<Self>, job: Job) -> Option<Job> {
        let reply_to = &job.ticket.envelope.reply_to;
        if !self.presence().misses(reply_to) || self.is_urgent_and_known(&job) {
            return Some(job);
        }
        let mut held = self.held();
        if held.len() >= self.settings.limits.held.into() {
            drop(held);
            self.call_stale(job);
            return None;
        }
        tracing::debug!(client = reply_to, "a request waits for word of its sender");
        held.keep(job);
        None
    }

    /// What makes things safe does not wait, if somebody is logged in there.
    fn is_urgent_and_known(&self, job: &Job) -> bool {
        let urgent = matches!(&job.wish, Wish::Call(call) if call.urgent());
        let client = self.clients.find(&job.ticket.envelope.reply_to);
        urgent && client.is_some_and(|client| client.state.is_member())
    }

    /// Somebody has come or gone.
    pub fn note(self: &Arc<Self>, advisory: &Advisory) {
        self.presence().note(advisory);
        match advisory {
            Advisory::Created(queue) => {
                self.clients.mark_gone(false, |name| name == queue);
                self.release();
            }
            Advisory::Removed(queue) => self.clients.mark_gone(true, |name| name == queue),
            Advisory::ConnectionGone(id) => self.clients.mark_gone(true, |name| belongs(name, id)),
        }
    }

    /// Carries out what was kept and whose sender is there.
    fn release(self: &Arc<Self>) {
        let presence = self.presence();
        let known = self.held().take_of(|reply_to| !presence.misses(reply_to));
        drop(presence);
        for job in known {
            self.dispatch(job);
        }
    }

    /// Turns away what was kept for too long.
    pub fn end_grace(self: &Arc<Self>) {
        let overdue = self.held().take_overdue(self.settings.stale_grace);
        for job in overdue {
            self.call_stale(job);
        }
    }

    /// The gateway stops: turns away what was kept.
    pub fn stop_holding(self: &Arc<Self>) {
        let kept = self.held().take_all();
        for job in kept {
            self.turn_away(job, refusals::stopping());
        }
    }

    /// The connection has ended, and the broker delivers again what was kept.
    pub fn forget_held(&self) {
        let kept = self.held().take_all();
        drop(kept);
    }

    fn call_stale(self: &Arc<Self>, job: Job) {
        self.gateway.count("requests_stale", 1);
        let client = &job.ticket.envelope.reply_to;
        tracing::warn!(client, "a request whose sender has gone is not carried out");
        self.decline_in_turn(job, refusals::stale());
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Room for everybody: of several frontends, none may take all that there is in all.

use super::{Broker, State};
use patchbay_abi::{Fault, FaultKind};

impl Broker {
    /// Whether another login may begin, in all and through that frontend.
    pub(super) fn check_room_for_login(&self, state: &State, frontend: usize) -> Result<(), Fault> {
        let limits = self.limits();
        let sessions = state.sessions.len();
        let then = "try again later";
        self.within(sessions, limits.sessions, "sessions (max_sessions)", then)?;
        let logins = "logins at a time (max_logins_pending)";
        self.within(state.pending.logins(), limits.logins_pending, logins, then)?;
        if let Some(share) = self.share(limits.sessions) {
            let own = state.sessions.through(frontend);
            self.within(
                own,
                share,
                "sessions through one way in (frontend_share_percent)",
                then,
            )?;
        }
        if let Some(share) = self.share(limits.logins_pending) {
            let own = state.pending.load_of(frontend).logins;
            self.within(
                own,
                share,
                "logins at a time through one way in (frontend_share_percent)",
                then,
            )?;
        }
        Ok(())
    }

    /// Whether there is room for another request, in all and through that frontend.
    pub(super) fn check_room_in_all(&self, state: &State, frontend: usize) -> Result<(), Fault> {
        let (limit, then) = (self.limits().in_flight, "wait for answers");
        self.within(
            state.pending.len(),
            limit,
            "requests at a time (max_in_flight)",
            then,
        )?;
        let Some(share) = self.share(limit) else {
            return Ok(());
        };
        let own = state.pending.load_of(frontend).requests;
        self.within(
            own,
            share,
            "requests at a time through one way in (frontend_share_percent)",
            then,
        )
    }

    /// What one frontend may have of that; `None` if there is only one.
    fn share(&self, limit: usize) -> Option<usize> {
        let frontends = self.present().filter(|(_, seat)| seat.is_frontend());
        let share = limit.saturating_mul(self.limits().frontend_share) / 100;
        (frontends.count() > 1).then_some(share.max(1))
    }

    fn within(
        &self,
        now: usize,
        limit: usize,
        what: &'static str,
        then: &str,
    ) -> Result<(), Fault> {
        if now < limit {
            return Ok(());
        }
        self.metrics.limit_hit(key_in(what));
        let text = format!("{limit} {what} is the limit of this gateway; {then}");
        Err(Fault::new(FaultKind::Busy, text))
    }
}

/// The key of the configuration that such a text names in brackets.
fn key_in(what: &'static str) -> &'static str {
    what.split(['(', ')']).nth(1).unwrap_or(what)
}

//! Room for everybody: of several frontends, none may take all that there is in all.

use super::{Broker, State};
use patchbay_abi::Fault;

/// The key of what one frontend may have.
const SHARE: &str = "frontend_share_percent";

impl Broker {
    /// Whether another login may begin, in all and through that frontend.
    pub(super) fn check_room_for_login(&self, state: &State, frontend: usize) -> Result<(), Fault> {
        let limits = self.limits();
        let then = "try again later";
        let (sessions, logins) = (state.sessions.len(), state.pending.logins());
        self.has_room(sessions, limits.sessions, "max_sessions", "sessions", then)?;
        let what = "logins at a time";
        self.has_room(
            logins,
            limits.logins_pending,
            "max_logins_pending",
            what,
            then,
        )?;
        if let Some(share) = self.share(limits.sessions) {
            let own = state.sessions.through(frontend);
            self.has_room(own, share, SHARE, "sessions through one way in", then)?;
        }
        if let Some(share) = self.share(limits.logins_pending) {
            let own = state.pending.load_of(frontend).logins;
            let what = "logins at a time through one way in";
            self.has_room(own, share, SHARE, what, then)?;
        }
        Ok(())
    }

    /// Whether there is room for another request, in all and through that frontend.
    pub(super) fn check_room_in_all(&self, state: &State, frontend: usize) -> Result<(), Fault> {
        let (limit, then) = (self.limits().in_flight, "wait for answers");
        let all = state.pending.len();
        self.has_room(all, limit, "max_in_flight", "requests at a time", then)?;
        let Some(share) = self.share(limit) else {
            return Ok(());
        };
        let own = state.pending.load_of(frontend).requests;
        let what = "requests at a time through one way in";
        self.has_room(own, share, SHARE, what, then)
    }

    /// What one frontend may have of that; `None` if there is only one.
    fn share(&self, limit: usize) -> Option<usize> {
        let frontends = self.present().filter(|(_, seat)| seat.is_frontend());
        let share = limit.saturating_mul(self.limits().frontend_share) / 100;
        (frontends.count() > 1).then_some(share.max(1))
    }

    fn has_room(
        &self,
        now: usize,
        limit: usize,
        key: &'static str,
        what: &str,
        then: &str,
    ) -> Result<(), Fault> {
        match now < limit {
            true => Ok(()),
            false => Err(self.limit_hit(key, limit, what, then)),
        }
    }
}

//! Before another life of a backend takes over, one of the clients is logged in there.
//!
//! Some backends read their server's events by the account of a client. One that begins to do so only with the first
//! request after it has taken over would not hear what happens in between: a script's end, for one.

use super::session::Attachment;
use super::{Broker, Place};

impl Broker {
    /// Logs a client of the life `from` in at the life `to` as well. That owes an answer until it has said
    /// whether it lets it in; nothing else depends on it.
    pub fn introduce(&self, seat: usize, from: u64, to: u64) {
        let (from, to) = (Place { seat, epoch: from }, Place { seat, epoch: to });
        let asked = {
            let mut state = self.lock();
            let there = state.sessions.iter().filter(
                |(_, session)| matches!(session.attachment, Attachment::Attached(at) if at == from),
            );
            // Best one that the backend knows by its password.
            let client = there.max_by_key(|(_, session)| session.authority == Some(seat));
            let client = client.map(|(id, _)| *id);
            client.and_then(|client| self.ask_for_login(&mut state, None, to, client))
        };
        if let Some((id, ask)) = asked {
            self.hand_over(id, to, ask);
        }
    }
}

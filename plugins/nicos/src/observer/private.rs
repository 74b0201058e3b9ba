//! Events that are for one client only.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use patchbay_sdk::{Event, Fault};
use tokio::time::Instant;

use super::Observer;
use crate::event;
use crate::lane::Private;
use crate::translate::native;

/// How long the news of a job may be behind what the job has caused: they come by another connection.
const LATE: Duration = Duration::from_millis(300);

/// Private events of which it is not known yet whose they are, and until when that is waited for.
pub(super) type Waiting = VecDeque<(Instant, Private)>;

impl Observer {
    /// Whose code it was, the connection knows if it runs nobody else's; otherwise it was the running script's.
    pub(super) async fn private(&mut self, private: Private) {
        let dropped = self.private.take_dropped();
        if dropped > 0 {
            self.teller.count("private_events_dropped", dropped);
        }
        let user = private.user.as_deref();
        let session = private.session.or_else(|| self.submitter(user, false));
        match session {
            Some(session) => self.tell_private(session, private).await,
            // How many may wait, the room that they hold says.
            None => self.waiting.push_back((Instant::now() + LATE, private)),
        }
    }

    /// When the next private event has waited for long enough.
    pub(super) fn private_due(&self) -> Option<Instant> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// Tells those of which it is known by now whose they are, and drops those that have waited for long enough.
    pub(super) async fn release_private(&mut self) {
        while let Some((due, private)) = self.waiting.pop_front() {
            let is_due = due <= Instant::now();
            match self.submitter(private.user.as_deref(), is_due) {
                Some(session) => self.tell_private(session, private).await,
                None if is_due => self.teller.count("private_events_dropped", 1),
                None => return self.waiting.push_front((due, private)),
            }
        }
    }

    /// The script that has caused it may have ended before anybody heard of that.
    fn submitter(&self, user: Option<&str>, or_last: bool) -> Option<u64> {
        let jobs = self.known.jobs();
        let last = || jobs.last_submitter(user).filter(|_| or_last);
        jobs.submitter(user).or_else(last)
    }

    async fn tell_private(&mut self, session: u64, private: Private) {
        let name = event::name(private.code);
        match self.read_private(&name, private.payload).await {
            Ok(event) => self.teller.event(event.session(session)),
            Err(cause) => {
                self.teller.count("events_unreadable", 1);
                tracing::warn!(event = &*name, %cause, "a private event could not be read");
            }
        }
    }

    async fn read_private(&self, name: &str, payload: Bytes) -> Result<Event, Fault> {
        let (json, _) = self.daemon.decoder().decode(payload).await?;
        native(name, &json)
    }
}

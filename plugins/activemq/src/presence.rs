//! Which clients' temporary queues exist, by the broker's advisories.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::advisory::Advisory;
use crate::reply_to::{self, temporary_queue};

/// A client that comes back by itself does so within this time after a restart of the broker.
const RETURN: Duration = Duration::from_secs(60);
/// The living temporary queues. It says nothing until it is proven that advisories arrive: brokers may be set up without.
#[derive(Debug)]
pub struct Presence {
    living: HashSet<String>,
    /// More than so many are not followed.
    limit: usize,
    /// Since when all that live are known.
    proven: Option<Instant>,
}

impl Presence {
    /// Knows of nobody; follows up to `limit` temporary queues.
    pub fn new(limit: usize) -> Self {
        Self {
            living: HashSet::new(),
            limit,
            proven: None,
        }
    }

    /// A new connection: what was known is void.
    pub fn restart(&mut self) {
        *self = Self::new(self.limit);
    }

    /// Advisories arrive, and all that the broker tells a new listener have.
    pub fn rely(&mut self) {
        self.proven = Some(Instant::now());
    }

    /// Takes an advisory in.
    pub fn note(&mut self, advisory: &Advisory) {
        match advisory {
            // No request that we take comes from there, so that it would only take up memory.
            Advisory::Created(name) if name.len() > reply_to::MAX => {}
            Advisory::Created(name) if self.living.len() < self.limit => {
                self.living.insert(name.clone());
            }
            Advisory::Created(_) => {
                if self.proven.take().is_some() {
                    tracing::warn!(
                        limit = self.limit,
                        "too many temporary queues to follow; requests whose sender has gone are carried out"
                    );
                }
            }
            Advisory::Removed(name) => {
                self.living.remove(name);
            }
            Advisory::ConnectionGone(id) => self.living.retain(|name| !belongs(name, id)),
        }
    }

    /// Whether that connection has a temporary queue.
    pub fn has_queue_of(&self, connection: &str) -> bool {
        self.living.iter().any(|name| belongs(name, connection))
    }

    /// Whether nobody is known to wait there. Of named queues and topics, and of temporary topics, nothing is told.
    pub fn misses(&self, reply_to: &str) -> bool {
        self.proven.is_some()
            && temporary_queue(reply_to).is_some_and(|name| !self.living.contains(name))
    }

    /// A client with that temporary queue should have been back by now.
    pub fn is_absent(&self, name: &str) -> bool {
        let settled = self.proven.is_some_and(|since| since.elapsed() > RETURN);
        settled && !self.living.contains(name)
    }
}

/// Whether a temporary queue is of that connection: its name is the connection's id, a colon and a number.
pub fn belongs(queue: &str, connection: &str) -> bool {
    queue
        .strip_prefix(connection)
        .is_some_and(|rest| rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "/remote-temp-queue/ID:h-1-2-1:1:1";

    #[tokio::test(start_paused = true)]
    async fn only_a_temporary_queue_that_is_not_there_is_missed() {
        let mut presence = Presence::new(100);
        presence.note(&Advisory::Created("ID:other:1:1".into()));
        assert!(!presence.misses(QUEUE), "nothing is proven");
        presence.rely();
        assert!(presence.misses(QUEUE) && !presence.misses("/remote-temp-queue/ID:other:1:1"));
        for other in ["/queue/answers", "/remote-temp-topic/ID:h-1-2-1:1:1"] {
            assert!(!presence.misses(other), "nothing is told of {other}");
        }
        presence.note(&Advisory::Created("ID:h-1-2-1:1:1".into()));
        assert!(!presence.misses(QUEUE) && presence.has_queue_of("ID:h-1-2-1:1"));
        presence.note(&Advisory::ConnectionGone("ID:h-1-2-1:1".into()));
        assert!(presence.misses(QUEUE) && !presence.is_absent("ID:h-1-2-1:1:1"));
        tokio::time::advance(RETURN * 2).await;
        assert!(presence.is_absent("ID:h-1-2-1:1:1"));
    }

    #[tokio::test]
    async fn names_that_nobody_can_ask_from_are_not_kept_and_too_many_end_the_rule() {
        let mut presence = Presence::new(1);
        presence.rely();
        presence.note(&Advisory::Created("x".repeat(reply_to::MAX + 1)));
        assert!(presence.living.is_empty());
        presence.note(&Advisory::Created("ID:other:1:1".into()));
        assert!(presence.misses(QUEUE));
        presence.note(&Advisory::Created("ID:another:1:1".into()));
        assert!(!presence.misses(QUEUE) && presence.living.len() == 1);
    }

    #[test]
    fn a_connection_owns_its_queues_only() {
        assert!(
            belongs("ID:h:1:1", "ID:h:1")
                && !belongs("ID:h:11:1", "ID:h:1")
                && !belongs("ID:h:1", "ID:h:1")
        );
    }
}

//! Which clients' temporary queues exist, by the broker's advisories.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::reply_to::temporary_queue;

/// The topics that tell, without prefix.
pub const TOPICS: [&str; 2] = [
    "ActiveMQ.Advisory.TempQueue",
    "ActiveMQ.Advisory.Connection",
];
/// Requests that come so soon after subscribing have waited while we were away.
const BACKLOG: Duration = Duration::from_secs(2);
/// A client that comes back by itself does so within this time after a restart of the broker.
const RETURN: Duration = Duration::from_secs(60);
/// More temporary queues than this are not followed.
const MAX: usize = 100_000;

/// What an advisory says.
#[derive(Debug, PartialEq, Eq)]
pub enum Advisory {
    /// A temporary queue exists.
    Created(String),
    /// A temporary queue was removed.
    Removed(String),
    /// A connection has ended, and all its temporary queues with it.
    ConnectionGone(String),
}

impl Advisory {
    /// Reads ActiveMQ's JSON form of an advisory; `None` for one that says nothing of interest.
    pub fn read(text: &str) -> Option<Self> {
        let advisory: Value = serde_json::from_str(text).ok()?;
        if let Some(info) = advisory.get("DestinationInfo") {
            let name = info.get("destination")?.get("string")?.as_str()?.to_owned();
            return match number(info.get("operationType")?)? {
                0 => Some(Self::Created(name)),
                1 => Some(Self::Removed(name)),
                _ => None,
            };
        }
        let id = advisory
            .get("RemoveInfo")?
            .get("objectId")?
            .get("value")?
            .as_str()?;
        Some(Self::ConnectionGone(id.to_owned()))
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The living temporary queues. It says nothing until an advisory has come: brokers may be set up without them.
#[derive(Debug, Default)]
pub struct Presence {
    living: HashSet<String>,
    works: bool,
    since: Option<Instant>,
}

impl Presence {
    /// A new connection: what was known is void.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Requests are subscribed to from now on.
    pub fn subscribed(&mut self) {
        self.since = Some(Instant::now());
    }

    /// Takes an advisory in.
    pub fn note(&mut self, advisory: &Advisory) {
        match advisory {
            Advisory::Created(name) if self.living.len() < MAX => {
                self.works = true;
                self.living.insert(name.clone());
            }
            Advisory::Created(_) => self.restart(),
            Advisory::Removed(name) => {
                self.living.remove(name);
            }
            Advisory::ConnectionGone(id) => self.living.retain(|name| !belongs(name, id)),
        }
    }

    /// A request from `reply_to` has waited for us and its sender has gone: nobody wants it any more.
    pub fn is_stale(&self, reply_to: &str, redelivered: bool) -> bool {
        let old = redelivered || self.since.is_some_and(|since| since.elapsed() < BACKLOG);
        self.works
            && old
            && temporary_queue(reply_to).is_some_and(|name| !self.living.contains(name))
    }

    /// A client with that temporary queue should have been back by now.
    pub fn is_absent(&self, name: &str) -> bool {
        let settled = self.since.is_some_and(|since| since.elapsed() > RETURN);
        self.works && settled && !self.living.contains(name)
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

    fn created() -> Advisory {
        Advisory::Created("ID:h-1-2-1:1:1".into())
    }

    #[test]
    fn the_brokers_json_is_read() {
        let queue = r#"{"DestinationInfo":{"connectionId":{"value":"ID:h-1-2-1:1"},"destination":{"@class":"ActiveMQTempQueue","string":"ID:h-1-2-1:1:1","null":""},"operationType":0}}"#;
        assert_eq!(Advisory::read(queue), Some(created()));
        let removed = queue.replace("\"operationType\":0", "\"operationType\":1");
        assert_eq!(
            Advisory::read(&removed),
            Some(Advisory::Removed("ID:h-1-2-1:1:1".into()))
        );
        let gone =
            r#"{"RemoveInfo":{"objectId":{"@class":"ConnectionId","value":"ID:h-1-2-1:1"}}}"#;
        assert_eq!(
            Advisory::read(gone),
            Some(Advisory::ConnectionGone("ID:h-1-2-1:1".into()))
        );
        for other in [
            "",
            "[]",
            "{}",
            r#"{"ConnectionInfo":{}}"#,
            r#"{"DestinationInfo":{"destination":7}}"#,
        ] {
            assert_eq!(Advisory::read(other), None, "{other}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_has_waited_and_whose_sender_has_gone_is_stale() {
        let mut presence = Presence::default();
        presence.subscribed();
        assert!(
            !presence.is_stale(QUEUE, true),
            "without advisories nothing is known"
        );
        presence.note(&Advisory::Created("ID:other:1:1".into()));
        assert!(presence.is_stale(QUEUE, false));
        assert!(!presence.is_stale("/queue/answers", false));
        assert!(
            !presence.is_stale("/remote-temp-topic/ID:h-1-2-1:1:1", false),
            "nothing is told of topics"
        );
        presence.note(&created());
        assert!(!presence.is_stale(QUEUE, true));
        presence.note(&Advisory::ConnectionGone("ID:h-1-2-1:1".into()));
        assert!(presence.is_stale(QUEUE, false));
        tokio::time::advance(BACKLOG * 2).await;
        assert!(!presence.is_stale(QUEUE, false) && presence.is_stale(QUEUE, true));
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

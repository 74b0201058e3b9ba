//! What the broker tells of clients that come and go.

use serde_json::Value;

/// The topics that tell, without prefix.
pub const TOPICS: [&str; 2] = [
    "ActiveMQ.Advisory.TempQueue",
    "ActiveMQ.Advisory.Connection",
];

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

#[cfg(test)]
mod tests {
    use super::*;

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
}

//! The broker's configuration file.

use std::fs;
use std::path::{Path, PathBuf};

use super::ActiveMqOptions;
use crate::error::{Doing, Result};

const BROKER: &str = include_str!("../../activemq/broker.xml");
const USERS: &str = include_str!("../../activemq/users.xml");

/// What an instance's configuration depends on.
#[derive(Debug)]
pub(super) struct Config {
    pub openwire: u16,
    pub stomp: u16,
    pub options: ActiveMqOptions,
}

impl Config {
    /// Makes what is made once for all starts.
    pub fn prepare(&self, dir: &Path) -> Result<()> {
        let tls = self.options.tls.as_ref();
        tls.map_or(Ok(()), |tls| tls.make_stores(dir))
    }

    /// Writes `broker.xml` to the instance's directory and returns its path.
    pub fn write(&self, dir: &Path) -> Result<PathBuf> {
        let path = dir.join("broker.xml");
        fs::write(&path, self.text(dir)).doing(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    fn text(&self, dir: &Path) -> String {
        let options = &self.options;
        let context = options.tls.as_ref().map(|tls| tls.context(dir));
        let wants_client = options.tls.as_ref().is_some_and(|tls| tls.client.is_some());
        let scheme = ["stomp", "stomp+ssl"][usize::from(context.is_some())];
        let policy = options.temporary_queue_bytes.map(policy);
        BROKER
            .replace("@POLICY@", &policy.unwrap_or_default())
            .replace("@SSL@", &context.unwrap_or_default())
            .replace("@SCHEME@", scheme)
            .replace(
                "@OPTIONS@",
                if wants_client {
                    "?needClientAuth=true"
                } else {
                    ""
                },
            )
            .replace("@INSTANCE@", &dir.display().to_string())
            .replace("@OPENWIRE@", &self.openwire.to_string())
            .replace("@STOMP@", &self.stomp.to_string())
            .replace("@PERSISTENT@", &options.persistent.to_string())
            .replace("@PLUGINS@", if options.users { USERS } else { "" })
    }
}

/// Each temporary queue may hold so much.
fn policy(bytes: u64) -> String {
    format!(
        r#"<destinationPolicy><policyMap><policyEntries><policyEntry tempQueue="true" memoryLimit="{bytes}"/></policyEntries></policyMap></destinationPolicy>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_replaced() {
        let config = Config {
            openwire: 1,
            stomp: 2,
            options: ActiveMqOptions::default()
                .users(true)
                .temporary_queue_bytes(77)
                .tls(Some(Path::new("/client.pem"))),
        };
        let text = config.text(Path::new("/x"));
        assert!(!text.contains('@'), "{text}");
        assert!(text.contains("tcp://127.0.0.1:1"));
        assert!(text.contains("stomp+ssl://127.0.0.1:2?needClientAuth=true"));
        assert!(text.contains("/x/clients.p12") && text.contains("77"));
        assert!(text.contains("simpleAuthenticationPlugin"));
    }

    #[test]
    fn an_open_broker_has_no_users() {
        let config = Config {
            openwire: 1,
            stomp: 2,
            options: ActiveMqOptions::default().persistent(true),
        };
        let text = config.text(Path::new("/x"));
        assert!(!text.contains("authenticationUser") && !text.contains('@'));
        assert!(text.contains("\"stomp://127.0.0.1:2\""));
    }
}

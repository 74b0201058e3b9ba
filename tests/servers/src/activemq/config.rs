//! The broker's configuration file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Doing, Result};

const BROKER: &str = include_str!("../../activemq/broker.xml");
const USERS: &str = include_str!("../../activemq/users.xml");

/// What an instance's configuration depends on.
#[derive(Debug)]
pub(super) struct Config {
    pub openwire: u16,
    pub stomp: u16,
    pub users: bool,
    pub persistent: bool,
}

impl Config {
    /// Writes `broker.xml` to the instance's directory and returns its path.
    pub fn write(&self, dir: &Path) -> Result<PathBuf> {
        let path = dir.join("broker.xml");
        fs::write(&path, self.text(dir)).doing(|| format!("writing {}", path.display()))?;
        Ok(path)
    }

    fn text(&self, dir: &Path) -> String {
        BROKER
            .replace("@INSTANCE@", &dir.display().to_string())
            .replace("@OPENWIRE@", &self.openwire.to_string())
            .replace("@STOMP@", &self.stomp.to_string())
            .replace("@PERSISTENT@", &self.persistent.to_string())
            .replace("@PLUGINS@", if self.users { USERS } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_replaced() {
        let config = Config {
            openwire: 1,
            stomp: 2,
            users: true,
            persistent: false,
        };
        let text = config.text(Path::new("/x"));
        assert!(!text.contains('@'), "{text}");
        assert!(text.contains("tcp://127.0.0.1:1") && text.contains("stomp://127.0.0.1:2"));
        assert!(text.contains("simpleAuthenticationPlugin"));
    }

    #[test]
    fn an_open_broker_has_no_users() {
        let config = Config {
            openwire: 1,
            stomp: 2,
            users: false,
            persistent: true,
        };
        assert!(!config.text(Path::new("/x")).contains("authenticationUser"));
    }
}

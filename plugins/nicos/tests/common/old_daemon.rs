//! A daemon of another age: real Python that speaks a given version of the protocol, see `tests/old_daemon`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use patchbay_nicos::Nicos as Plugin;
use patchbay_testkit::{BackendHost, Wire};
use serde_json::{Value, json};

/// The password of everybody.
pub const PASSWORD: &str = "secret";

/// Runs until it is dropped.
pub struct OldDaemon {
    child: Child,
    /// `host:port`.
    pub address: String,
}

impl OldDaemon {
    /// A daemon of this protocol that wants passwords as was usual then.
    pub fn start(protocol: u16) -> Self {
        Self::wanting(
            protocol,
            if protocol < 18 {
                "rsa,sha1"
            } else {
                "rsa,plain"
            },
        )
    }

    /// A daemon that wants passwords in this way.
    pub fn wanting(protocol: u16, pw_hashing: &str) -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/old_daemon/daemon.py");
        let mut child = Command::new("python3")
            .args(["-B", file, &protocol.to_string(), pw_hashing])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is needed to run these tests");
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        let address = format!("127.0.0.1:{}", port.trim());
        Self { child, address }
    }

    /// Starts the plugin on it, with more configuration.
    pub async fn plugin(&self, more: Value) -> BackendHost {
        let mut config =
            json!({"address": self.address, "retry_first_s": 0.05, "retry_most_s": 0.5});
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap_or_default());
        BackendHost::start::<Plugin>(config, Wire::InProcess)
            .await
            .expect("the plugin starts")
    }
}

impl Drop for OldDaemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

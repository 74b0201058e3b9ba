//! The gateway under measurement, which `cargo xtask bench` has built beside this program, started with a configuration.

use anyhow::{Context, Result};
use patchbay_servers::{Gateway, binary_dir, silent};

/// The file in the gateway's folder that holds NICOS's password for `admin`.
pub const SECRET: (&str, &str) = ("nicos-admin", "admin");

/// Starts it with these backends and frontends in its configuration.
pub fn start(parts: &[&str]) -> Result<Gateway> {
    let folder = binary_dir()?;
    let config = config(parts);
    Gateway::options(&folder.join("patchbay"), &folder, &config)
        .secret(SECRET.0, SECRET.1)
        .start(&silent)
        .context("starting the gateway")
}

/// A whole configuration with these parts in it.
pub fn config(parts: &[&str]) -> String {
    format!("{GATEWAY}\n{}", parts.join("\n"))
}

/// Many clients come at once, and nobody is to be kept out.
const GATEWAY: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
max_sessions = 4096
max_logins_pending = 4096
max_logins_per_s = 10000
max_logins_per_s_and_client = 10000
max_events_per_s = 1000000
"#;

/// The smallest backend.
pub const ECHO: &str = r#"
[[backend]]
id = "echo"
plugin = "echo"
"#;

/// The daemon at this address.
pub fn nicos(address: &str) -> String {
    format!(
        r#"
[[backend]]
id = "nicos"
plugin = "nicos"
[backend.config]
address = "{address}"
observer = {{ login = "admin", secret = {{ file = "@DIR@/{}" }} }}
"#,
        SECRET.0
    )
}

/// Requests from this queue of the broker at this STOMP address.
pub fn activemq(backend: &str, stomp: &str, queue: &str) -> String {
    format!(
        r#"
[[frontend]]
id = "broker-{queue}"
plugin = "activemq"
backend = "{backend}"
[frontend.config]
broker = "{stomp}"
queue = "{queue}"
min_reply_delay_ms = 0
"#
    )
}

/// Clients at this file in the gateway's folder.
pub fn socket(backend: &str) -> String {
    format!(
        r#"
[[frontend]]
id = "socket"
plugin = "socket"
backend = "{backend}"
[frontend.config]
unix = "@DIR@/{SOCKET}"
limits = {{ connections = 2048, strangers = 2048 }}
"#
    )
}

/// The name of that file.
pub const SOCKET: &str = "bench.sock";

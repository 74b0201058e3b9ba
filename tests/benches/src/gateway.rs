//! The gateway under measurement: built, and started with a configuration.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use patchbay_servers::{Gateway, binary_dir, silent, workspace_dir};

/// What is needed of the gateway.
const PACKAGES: [&str; 5] = [
    "patchbay",
    "patchbay-activemq",
    "patchbay-echo",
    "patchbay-nicos",
    "patchbay-socket",
];

/// The file in the gateway's folder that holds NICOS's password for `admin`.
pub const SECRET: (&str, &str) = ("nicos-admin", "admin");

/// Builds it, with optimizations if this program was built so.
pub fn build() -> Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").current_dir(workspace_dir());
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    let status = cargo.status().context("running cargo")?;
    ensure!(
        status.success(),
        "the gateway does not build ({status}); why stands above"
    );
    Ok(())
}

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

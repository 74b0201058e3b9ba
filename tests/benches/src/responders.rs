//! Those who answer in place of the gateway: the floors, in Java, and the peer, in Python.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use patchbay_servers::{ActiveMq, Nicos, Source, java, servers_dir, to_stderr, workspace_dir};

use crate::child::Child;

/// All Java programs here, compiled together.
const SOURCES: [Source; 4] = [
    ("JmsEcho.java", include_str!("../java/JmsEcho.java")),
    ("Load.java", include_str!("../java/Load.java")),
    ("StompEcho.java", include_str!("../java/StompEcho.java")),
    ("Watch.java", include_str!("../java/Watch.java")),
];
/// Small, but with both compilers: the floors are to be as good as Java gets.
const JVM: [&str; 2] = ["-Xmx256m", "-XX:+UseSerialGC"];

/// One of the Java programs, ready to get its arguments.
pub fn program(class: &str) -> Result<Command> {
    let mut java = java("benches", &SOURCES, &to_stderr)?;
    java.args(JVM).arg(class);
    Ok(java)
}

/// The least that a JMS client can be answered by: an echo in the broker's own protocol.
pub fn jms_echo(broker: &ActiveMq, queue: &str) -> Result<Child> {
    let mut java = program("JmsEcho")?;
    java.arg(format!("tcp://{}", broker.openwire())).arg(queue);
    Child::start_ready("the JMS echo", java)
}

/// The least that a gateway can be: an echo in STOMP. `individual` promises what the gateway promises, `auto` nothing.
pub fn stomp_echo(broker: &ActiveMq, queue: &str, mode: &str) -> Result<Child> {
    let (host, port) = (broker.stomp().ip(), broker.stomp().port());
    let mut java = program("StompEcho")?;
    java.args([&host.to_string(), &port.to_string(), queue, mode]);
    Child::start_ready("the STOMP echo", java)
}

/// The proxy in Python, before a daemon or with an answer of its own.
pub fn peer(broker: &ActiveMq, queue: &str, daemon: Option<&Nicos>) -> Result<Child> {
    let packages = install_peer()?;
    let mut python = Nicos::python(&to_stderr)?;
    let nicos = python
        .get_envs()
        .find(|(name, _)| *name == "PYTHONPATH")
        .and_then(|(_, value)| value.map(PathBuf::from))
        .unwrap_or_default();
    let path = format!("{}:{}", packages.display(), nicos.display());
    python.env("PYTHONPATH", path).arg("-B");
    python.arg(workspace_dir().join("tests/benches/peer/proxy.py"));
    python.args([&broker.stomp().to_string(), queue]);
    python.args(daemon.map(|daemon| daemon.address().to_string()));
    Child::start_ready("the peer", python)
}

/// Installs what it needs, once, and says where.
fn install_peer() -> Result<PathBuf> {
    let folder = servers_dir().join("bench-peer");
    if folder.join("stomp").exists() {
        return Ok(folder);
    }
    crate::say("installing what the Python peer needs");
    let requirements = workspace_dir().join("tests/benches/peer/requirements.txt");
    let fresh = folder.with_extension("new");
    let status = Nicos::python(&to_stderr)?
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--no-deps",
        ])
        .arg("--disable-pip-version-check")
        .arg("--target")
        .arg(&fresh)
        .arg("--requirement")
        .arg(requirements)
        .status()
        .context("running pip")?;
    ensure!(status.success(), "pip failed ({status}); why stands above");
    // Whole or not at all.
    std::fs::rename(&fresh, &folder).context("putting the peer's packages in their place")?;
    Ok(folder)
}

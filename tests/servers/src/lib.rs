//! The real servers, installed, started and ended: for the demo and for end-to-end tests.
//!
//! - [`Nicos`]: a NICOS daemon with a virtual instrument, from PyPI into a private environment
//! - [`QueueServer`]: bluesky's RE Manager with a simulated laboratory, from PyPI, and Debian's Redis for it
//! - [`ActiveMq`]: an Apache ActiveMQ broker, from Debian's packages
//! - [`Gateway`]: the gateway, started with a configuration
//! - [`Jms`]: many JMS clients in one Java process
//! - [`Terminal`]: a terminal that a test types into
//!
//! Each is a value: dropping it ends its processes and removes its files, and the kernel ends them should we be killed.
//! Everything listens on loopback. What is pinned lies in data files beside this crate's sources.
//!
//! ```no_run
//! use patchbay_servers::{ActiveMq, Nicos, to_stderr};
//!
//! let nicos = Nicos::start(&to_stderr)?;
//! let broker = ActiveMq::options().users(true).start(&to_stderr)?;
//! println!("NICOS at {}, STOMP at {}", nicos.address(), broker.stomp());
//! # Ok::<(), patchbay_servers::Error>(())
//! ```
#![forbid(unsafe_code)]

mod activemq;
mod debian;
mod error;
mod gateway;
mod instance_dir;
mod java;
mod jms;
mod log;
mod nicos;
mod places;
mod port;
mod process;
mod progress;
mod python;
mod queueserver;
mod spawner;
mod step;
mod terminal;
mod wait;

pub use activemq::{ActiveMq, ActiveMqOptions};
pub use error::{Error, Result};
pub use gateway::{Gateway, GatewayOptions};
pub use java::{Source, java};
pub use jms::{
    Connect, Event, IBEX_PASSWORD, IbexEvent, IbexSees, IbexWhat, Jms, Message, Received, ReplyTo,
};
pub use nicos::{Nicos, NicosOptions};
pub use places::{binary_dir, servers_dir, workspace_dir};
pub use port::free as free_port;
pub use progress::{Progress, silent, to_stderr};
pub use queueserver::{QueueServer, QueueServerOptions};
pub use terminal::Terminal;
pub use wait::interrupt;

/// Installs all servers that tests use. What Debian packages are missing is found out first, so that an ordinary user is
/// told one command for all of them.
///
/// # Errors
/// With the failed step's last lines, or the command that an ordinary user has to run first.
pub fn install_all(progress: Progress<'_>) -> Result<()> {
    let mut packages = demo_packages()?;
    packages.extend(queueserver::missing_packages()?);
    debian::install(&packages, progress)?;
    QueueServer::install(progress)?;
    install(progress)
}

/// As [`install_all`], only those that the demo shows.
///
/// # Errors
/// As [`install_all`].
pub fn install(progress: Progress<'_>) -> Result<()> {
    debian::install(&demo_packages()?, progress)?;
    Nicos::install(progress)?;
    // It needs everything that the broker needs.
    jms::install(progress).map(|_| ())
}

fn demo_packages() -> Result<Vec<String>> {
    let mut packages = nicos::missing_packages();
    packages.extend(activemq::missing_packages()?);
    packages.extend(terminal::missing_packages()?);
    Ok(packages)
}

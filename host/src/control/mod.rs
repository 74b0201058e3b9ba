//! What operators say to a gateway that runs: one JSON line in, one out, over a socket that only its
//! own user, and the members of one group if the configuration names one, can reach. The verbs of the command line are its only clients, so that its form is nobody
//! else's business; it names its version all the same.

#[cfg(unix)]
mod access;
#[cfg(unix)]
mod ask;
#[cfg(unix)]
mod look_on;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod state;

#[cfg(unix)]
pub use ask::{ask, follow};
#[cfg(unix)]
pub(crate) use serve::listen;
#[cfg(unix)]
pub use serve::{Control, serve};
#[cfg(unix)]
pub use state::StateFolder;

use crate::broker::{InstanceStatus, LevelStatus, SessionStatus};
use crate::trace::Filter;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// No line is longer, in bytes; 1000 sessions take some 200 KiB.
const LONGEST_LINE: u64 = 16 << 20;

/// What an operator wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Order {
    /// To see how everything is.
    Status,
    /// To see who is logged in.
    Sessions,
    /// To lead a frontend to another backend.
    Route {
        /// The frontend's id.
        frontend: String,
        /// The backend's id.
        backend: String,
        /// Only when nothing is under way.
        #[serde(default)]
        when_idle: bool,
    },
    /// To look on: after the answer come lines, until one side has had enough.
    Trace(Filter),
    /// To see how much everybody logs.
    Levels,
    /// To have an instance, or the host, log so much from now on.
    Level {
        /// Its id, or `host`.
        who: String,
        /// The level's name.
        level: String,
    },
    /// To have an instance ended and started anew.
    Restart {
        /// Its id.
        instance: String,
    },
    /// To have the configuration file read anew, and what differs changed.
    Reload {
        /// Only to know what would be changed.
        dry_run: bool,
        /// Whether mistakes may be shown in colours.
        colours: bool,
    },
    /// To have a newer build of a plugin take over.
    RenewPlugin {
        /// Its name in the configuration.
        plugin: String,
        /// Whether mistakes may be shown in colours.
        colours: bool,
    },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// How everything is.
    Status(GatewayStatus),
    /// Who is logged in.
    Sessions(Vec<SessionStatus>),
    /// How much everybody logs.
    Levels(Vec<LevelStatus>),
    /// It is done.
    Done,
    /// What was done, and what could not be.
    Changed(Changed),
    /// What is wrong with the configuration file, for people; nothing was done.
    Mistakes(String),
    /// Why it is not done.
    Refused(String),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// All of it, in order.
    pub steps: Vec<ChangedStep>,
    /// What is allowed in the configuration file but probably not meant, for people; often empty.
    pub warnings: String,
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedStep {
    /// What.
    pub what: String,
    /// Why it could not be done.
    pub failed: Option<String>,
}

/// How everything is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GatewayStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// How long it has run, in seconds.
    pub up_s: u64,
    /// Memory of the whole process, plugins included, in bytes; where the system tells.
    pub memory_bytes: Option<u64>,
    /// Where it notes what must not be done twice.
    #[cfg(unix)]
    #[serde(default)]
    pub state: StateFolder,
    /// Its instances.
    pub instances: Vec<InstanceStatus>,
}

/// Where a gateway with this state directory listens.
pub fn socket_in(state: &Path) -> PathBuf {
    state.join("control.sock")
}

//! Where an instance is in its life, as its supervisor notes it.

use std::path::PathBuf;
use std::time::Instant;

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It was opened and has not said that it serves.
    Starting,
    /// It serves.
    Running,
    /// It is finishing what it has.
    Stopping,
    /// It has failed and is started anew after a while.
    Waiting,
    /// It has failed too often, or its configuration is wrong; it is not started again by itself.
    Quarantined,
    /// It has ended, as it was asked to.
    Stopped,
}

impl Phase {
    /// As operators read it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Running => "running",
            Phase::Stopping => "stopping",
            Phase::Waiting => "waiting",
            Phase::Quarantined => "quarantined",
            Phase::Stopped => "stopped",
        }
    }
}

/// What a plugin says of its build, and where it was found.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// Its version.
    pub version: String,
    /// That of its SDK.
    pub sdk: String,
    /// That of its ABI.
    pub abi: u32,
    /// Its file.
    pub file: PathBuf,
}

/// What is noted.
#[derive(Debug, Clone)]
pub struct LifeNote {
    /// What it is an instance of.
    pub plugin: String,
    /// What its plugin was built as.
    pub build: Build,
    /// The number of its own process, if it is in one.
    pub process: Option<u32>,
    /// What it logs in this life, if nobody has changed that.
    pub level: &'static str,
    /// Where it is.
    pub phase: Phase,
    /// Why, if that needs a word.
    pub reason: String,
    /// Since when.
    pub since: Instant,
    /// When it is started anew, if it waits for that.
    pub until: Option<Instant>,
    /// How often it has failed.
    pub failures: u64,
    /// Threads of earlier lives that hang.
    pub abandoned: usize,
}

impl Default for LifeNote {
    fn default() -> Self {
        LifeNote {
            plugin: String::new(),
            build: Build::default(),
            process: None,
            level: "info",
            phase: Phase::Starting,
            reason: String::new(),
            since: Instant::now(),
            until: None,
            failures: 0,
            abandoned: 0,
        }
    }
}

//! What operators want of the instances, and what they are told of it.

use crate::broker::Granted;
use crate::config::Checked;
use crate::plugin::Plugin;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Where errands are put; there is room for a few.
pub type Errands = mpsc::Sender<Errand>;

/// Who waits for what came of it.
pub type Said<T> = oneshot::Sender<T>;

/// What is wanted.
pub enum Errand {
    /// That this configuration is in force; or, for a dry run, only to know what would be done.
    Reload(Box<Checked>, bool, Said<Report>),
    /// That a newer build of a plugin takes over, with the settings that its instances have in this
    /// configuration.
    Renew(Arc<Plugin>, Box<Checked>, Said<Report>),
    /// That an instance is started anew.
    Restart(String, Said<Result<(), String>>),
    /// To know the file of the plugin of that name, which some instance must be of.
    PluginOf(String, Said<Result<PathBuf, String>>),
}

/// What was done, in order.
#[derive(Debug, Default)]
pub struct Report {
    /// All of it.
    pub steps: Vec<Step>,
}

/// One thing that was done, or would be.
#[derive(Debug)]
pub struct Step {
    /// What.
    pub what: String,
    /// Why it could not be done.
    pub failed: Option<String>,
}

impl Report {
    /// Lines for the log.
    pub fn log(&self) {
        for step in &self.steps {
            match &step.failed {
                None => tracing::info!("changed: {}", step.what),
                Some(why) => tracing::error!(why, "not changed: {}", step.what),
            }
        }
    }

    pub(super) fn add(&mut self, what: impl Into<String>, outcome: Granted) {
        let failed = match outcome {
            Granted::Serves => None,
            Granted::Fails(why) => Some(why),
            Granted::AsBefore(why) => Some(format!("{why}; it goes on as it was")),
        };
        let what = what.into();
        self.steps.push(Step { what, failed });
    }
}

//! Reads the configuration file of a gateway that runs anew, checks it wholly, and hands it to those who make the
//! changes. What has a mistake changes nothing.
//!
//! This is done on the thread of whoever wants it, since reading files and loading plugins takes its time; what it takes
//! to change things is done by the staff, one after the other.

use crate::audit::Line;
use crate::config::{self, Checked, Mistakes, PluginCatalog};
use crate::plugin::{Catalog, Renewed, Trust};
use crate::service;
use crate::staff::{Errand, Errands, Report, Said};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Who can have the configuration read anew.
pub struct Reloader {
    file: PathBuf,
    catalog: Arc<Catalog>,
    errands: Errands,
    /// From the reading of the file until its changes are made, so that what was read last holds.
    turn: Mutex<()>,
}

/// Why nothing was changed.
#[derive(Debug)]
pub enum Refusal {
    /// The configuration has mistakes.
    Mistakes(Mistakes),
    /// A sentence.
    Because(String),
}

/// What was done, and what is allowed in the file but probably not meant.
pub type Done = (Report, Mistakes);

impl Reloader {
    /// Of a gateway that runs with this file.
    pub fn new(file: &Path, catalog: Arc<Catalog>, errands: Errands) -> Self {
        Reloader {
            file: file.to_owned(),
            catalog,
            errands,
            turn: Mutex::default(),
        }
    }

    /// Puts the file as it is now in force, or says what that would do.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn reload(&self, dry_run: bool) -> Result<Done, Refusal> {
        let _turn = self.turn();
        let _told = (!dry_run).then(service::Reloading::begin);
        let (config, warnings) = self.load(&*self.catalog)?;
        let report = self.ask(|answer| Errand::Reload(Box::new(config), dry_run, answer))?;
        Ok((report, warnings))
    }

    /// Puts the file as it is now in force; what came of it goes to the log. Returns what is to be noted of it.
    pub fn reload_by_signal(&self) -> Line {
        tracing::info!("SIGHUP: the configuration is read anew");
        let outcome = self.reload(false);
        let failed = |(report, _): &Done| report.steps.iter().any(|step| step.failed.is_some());
        let failed = outcome.as_ref().map_or(true, failed);
        log(outcome);
        Line {
            client: Some("SIGHUP".to_owned()),
            ..Line::new("patchbay reload", if failed { "failed" } else { "done" })
        }
    }

    /// Lets a newer build of a plugin take over.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn renew(&self, plugin: &str) -> Result<Done, Refusal> {
        let _turn = self.turn();
        let path = self.ask(|answer| Errand::PluginOf(plugin.to_owned(), answer))?;
        let path = path.map_err(Refusal::Because)?;
        let present = self.catalog.loaded(&path);
        let present = present.ok_or_else(|| Refusal::Because("it is not loaded".to_owned()))?;
        let (_, trusted) = config::plugin_paths(&self.file).map_err(Refusal::Mistakes)?;
        let trust = Trust::new(trusted.as_deref());
        let newer = Arc::new(present.load_newer(&trust).map_err(Refusal::Because)?);
        let renewed = Renewed {
            catalog: &self.catalog,
            newer: &newer,
        };
        let (config, warnings) = self.load(&renewed)?;
        let report = self.ask(|answer| Errand::Renew(newer.clone(), Box::new(config), answer))?;
        Ok((report, warnings))
    }

    /// Has an instance started anew.
    ///
    /// # Errors
    /// Why that was not done.
    pub fn restart(&self, instance: &str) -> Result<(), String> {
        match self.ask(|answer| Errand::Restart(instance.to_owned(), answer)) {
            Ok(outcome) => outcome,
            Err(Refusal::Because(why)) => Err(why),
            Err(Refusal::Mistakes(mistakes)) => Err(mistakes.to_string()),
        }
    }

    fn load(&self, catalog: &dyn PluginCatalog) -> Result<(Checked, Mistakes), Refusal> {
        let config = config::load(&self.file, catalog).map_err(Refusal::Mistakes)?;
        let warnings = config.warnings.clone();
        Ok((config, warnings))
    }

    fn ask<T>(&self, errand: impl FnOnce(Said<T>) -> Errand) -> Result<T, Refusal> {
        let (answer, said) = oneshot::channel();
        let ended = || Refusal::Because("the gateway is shutting down".to_owned());
        let sent = self.errands.blocking_send(errand(answer));
        sent.map_err(|_| ended())?;
        said.blocking_recv().map_err(|_| ended())
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(outcome: Result<Done, Refusal>) {
    match outcome {
        Ok((report, warnings)) => {
            for warning in warnings.iter() {
                tracing::warn!("{}", warning.message);
            }
            report.log();
            tracing::info!(
                changes = report.steps.len(),
                "the configuration is in force"
            );
        }
        Err(Refusal::Because(why)) => tracing::error!(why, "nothing was changed"),
        Err(Refusal::Mistakes(mistakes)) => {
            let mistakes = mistakes.render(false);
            tracing::error!("mistakes in the configuration, nothing was changed:\n{mistakes}");
        }
    }
}

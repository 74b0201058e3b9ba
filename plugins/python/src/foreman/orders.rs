//! Changes to the queue and to the worker, as they are ordered.

use std::sync::Arc;

use patchbay_sdk::model::args::Do;
use patchbay_sdk::{Fault, FaultKind, Health};

use super::Foreman;
use crate::job::Job;

/// What somebody wants to be changed.
#[derive(Debug)]
pub enum Order {
    /// A job is to wait.
    Submit {
        /// The job.
        job: Job,
        /// The digest of what was asked for, to find it again.
        asked: String,
        /// Only if nothing runs or waits.
        start: bool,
    },
    /// A job is not to wait any more, or none is.
    Remove(Option<String>),
    /// What waits is to have this order.
    Reorder(Vec<String>),
    /// A job that waits is to have another text.
    Edit(String, Arc<str>),
    /// There is to be a worker, or none, or another one.
    Environment(Do),
}

impl Foreman {
    pub(super) async fn carry_out(&mut self, order: Order) -> Result<(), Fault> {
        match order {
            Order::Submit { job, asked, start } => self.submit(job, asked, start).await,
            Order::Remove(which) => self.remove(which).await,
            Order::Reorder(ids) => self.reorder(ids).await,
            Order::Edit(id, code) => self.edit(id, code).await,
            Order::Environment(what) => self.environment(what).await,
        }
    }

    async fn submit(&mut self, job: Job, asked: String, start: bool) -> Result<(), Fault> {
        let (waiting, runs) = self.board.load();
        if start && (runs || waiting > 0) {
            let text = "a script runs or waits; queue this one instead, or wait";
            return Err(Fault::new(FaultKind::Conflict, text));
        }
        if start {
            self.board.ready_worker()?;
        }
        let most = self.settings.queue_most;
        if waiting >= most {
            let text = format!("{most} scripts wait already (`queue_most`); try again later");
            return Err(Fault::new(FaultKind::Busy, text));
        }
        self.check_room(&job.record.id, job.code.len())?;
        self.store.insert(job.clone(), asked).await?;
        self.board.queued(job);
        Ok(())
    }

    async fn remove(&mut self, which: Option<String>) -> Result<(), Fault> {
        if let Some(id) = &which {
            self.board.waits(id)?;
        }
        let records = self.board.removable(which.as_deref());
        if !records.is_empty() {
            let most = self.settings.history_most;
            self.store.ended(records.clone(), most).await?;
        }
        self.board.removed(&records);
        Ok(())
    }

    async fn reorder(&mut self, ids: Vec<String>) -> Result<(), Fault> {
        let (mut wanted, mut there) = (ids.clone(), self.board.order());
        wanted.sort_unstable();
        there.sort_unstable();
        if wanted != there {
            let text = "`jobs` must hold the ids of all jobs that wait, each once; what waits has perhaps changed";
            return Err(Fault::new(FaultKind::Conflict, text));
        }
        self.store.reordered(ids.clone()).await?;
        self.board.reordered(&ids);
        Ok(())
    }

    async fn edit(&mut self, id: String, code: Arc<str>) -> Result<(), Fault> {
        self.board.waits(&id)?;
        self.check_room(&id, code.len())?;
        self.store.edited(id.clone(), code.clone()).await?;
        self.board.edited(&id, &code);
        Ok(())
    }

    /// `status` shows all that waits, and has to remain short enough to be shown.
    fn check_room(&self, id: &str, bytes: usize) -> Result<(), Fault> {
        let most = self.settings.queue_bytes;
        if self.board.bytes_without(id) + bytes > most {
            let text = format!(
                "the scripts that wait may have {most} bytes together (`queue_bytes`); try again later"
            );
            return Err(Fault::new(FaultKind::Busy, text));
        }
        Ok(())
    }

    async fn environment(&mut self, what: Do) -> Result<(), Fault> {
        let runs = self.board.running().is_some();
        match what {
            Do::Open => self.open(),
            Do::Close if runs => {
                let text = "a script is running; stop it first, or use `reset`, which ends it";
                return Err(Fault::new(FaultKind::Conflict, text));
            }
            Do::Close => {
                self.close("it was closed").await;
                let text = "the Python process was closed; `environment` with `open` starts one";
                self.board.health(Health::Degraded(text.to_owned()));
            }
            Do::Reset => {
                self.close("it was reset").await;
                self.open();
            }
        }
        self.board.environment(what);
        Ok(())
    }
}

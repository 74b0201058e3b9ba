//! The jobs that are remembered, by id and by the server's own ids.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use patchbay_sdk::model::{JobKind, JobRecord, JobState};

use crate::shape::Item;

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// What clients see.
    pub record: JobRecord,
    /// Its text.
    pub body: Arc<str>,
    /// The item's id at the server, the last one that it had.
    pub uid: String,
    /// Another client's, which the server has put back after it failed.
    pub put_back: bool,
    /// A script that runs alone, because it calls the Run Engine.
    pub alone: bool,
    /// Its uploading, if it runs alone.
    pub task: Option<String>,
    /// How many looks have not shown it.
    pub missing: u32,
    /// It was told of.
    pub announced: bool,
}

impl Job {
    /// The shim has it in hand when it runs; else the Run Engine has.
    #[must_use]
    pub fn is_own_script(&self) -> bool {
        self.record.kind == Some(JobKind::Script) && !self.record.external
    }
}

/// The jobs; the oldest that have ended are forgotten.
#[derive(Debug)]
pub(super) struct Table {
    jobs: HashMap<String, Job>,
    by_uid: HashMap<String, String>,
    order: VecDeque<String>,
    most: usize,
}

impl Table {
    pub fn new(most: usize) -> Self {
        Self {
            jobs: HashMap::new(),
            by_uid: HashMap::new(),
            order: VecDeque::new(),
            most,
        }
    }

    pub fn get(&self, id: &str) -> Option<&Job> {
        self.jobs.get(id)
    }

    pub fn of_item(&self, uid: &str) -> Option<&Job> {
        self.by_uid.get(uid).and_then(|id| self.get(id))
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.get_mut(id)
    }

    /// The job that this item is: the one that has had its uid before; else the one whose mark it bears, unless that has
    /// ended already or is known under another uid (then the item is a copy, and a job of its own).
    pub fn identify(&mut self, item: &Item) -> &mut Job {
        let id = match self.by_uid.get(&item.item_uid) {
            Some(id) if self.jobs.contains_key(id) => id.clone(),
            _ => self.name(item),
        };
        self.by_uid.insert(item.item_uid.clone(), id.clone());
        if !self.jobs.contains_key(&id) {
            self.make_room();
            self.order.push_back(id.clone());
        }
        let job = self.jobs.entry(id.clone());
        let job = job.or_insert_with(|| new_job(id, item));
        item.item_uid.clone_into(&mut job.uid);
        job
    }

    fn name(&self, item: &Item) -> String {
        let marked = item.mark().map(|mark| mark.job);
        // The server, or one of its other clients, may have given a waiting item another uid.
        let is_free = |id: &String| {
            let waits = |job: &Job| job.record.state == JobState::Queued && item.result.is_none();
            let known = self.jobs.get(id);
            known.is_none_or(|job| job.uid == item.item_uid || waits(job))
        };
        let is_copy = item.result.is_some();
        // In the history everything has a result; there the first one with the mark is the job.
        marked
            .filter(|id| is_free(id) && (!is_copy || !self.jobs.contains_key(id)))
            .unwrap_or_else(|| item.item_uid.clone())
    }

    pub fn live(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(|job| job.record.state.is_live())
    }

    fn make_room(&mut self) {
        let mut looked_at = 0;
        while self.jobs.len() >= self.most && looked_at < self.order.len() {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            looked_at += 1;
            match self.jobs.get(&oldest) {
                Some(job) if job.record.state.is_live() => self.order.push_back(oldest),
                Some(job) => {
                    self.by_uid.remove(&job.uid);
                    self.jobs.remove(&oldest);
                }
                None => {}
            }
        }
        // Uids of jobs that are gone, such as of copies that were removed.
        if self.by_uid.len() > 4 * self.most {
            let jobs = &self.jobs;
            self.by_uid.retain(|_, id| jobs.contains_key(id));
        }
    }
}

fn new_job(id: String, item: &Item) -> Job {
    let mark = item.mark();
    let external = mark.is_none();
    let name = mark.as_ref().and_then(|mark| mark.name.clone());
    let record = JobRecord {
        id,
        name: name.or_else(|| external.then(|| item.name.clone())),
        user: item.user.clone(),
        state: JobState::Queued,
        kind: Some(item.kind()),
        external,
        ..JobRecord::default()
    };
    Job {
        alone: record.kind == Some(JobKind::Script) && item.item_type == "instruction",
        put_back: external && item.result.is_some(),
        record,
        body: item.body().into(),
        uid: item.item_uid.clone(),
        task: None,
        missing: 0,
        announced: false,
    }
}

//! The jobs that are remembered.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use patchbay_sdk::model::{JobRecord, JobState};

use crate::shape::Request;

/// Longest name, of a job or a user, that is remembered, in bytes.
const LONGEST_TEXT: usize = 1024;

/// A bounded number of jobs.
#[derive(Debug)]
pub(super) struct Table {
    jobs: HashMap<String, Job>,
    /// Ids in the order in which they became known, oldest first.
    order: VecDeque<String>,
    most: usize,
}

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) record: JobRecord,
    /// Whether anybody was told that it is queued; a submit's reply alone tells nobody.
    pub(super) announced: bool,
    /// The login and session that have submitted it, if they were of ours.
    pub(super) submitter: Option<(String, u64)>,
    /// A digest of its text as it was last seen; the text itself may be long.
    text: Option<u64>,
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self {
            jobs: HashMap::new(),
            order: VecDeque::new(),
            most,
        }
    }

    /// Whether others were forgotten, or are the next time.
    pub(super) fn is_full(&self) -> bool {
        self.order.len() >= self.most
    }

    pub(super) fn get(&self, id: &str) -> Option<&JobRecord> {
        self.jobs.get(id).map(|job| &job.record)
    }

    pub(super) fn submitter(&self, id: &str) -> Option<&(String, u64)> {
        self.jobs.get(id)?.submitter.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.get_mut(id)
    }

    /// The jobs that have not ended, oldest first.
    pub(super) fn live(&self) -> impl Iterator<Item = &JobRecord> {
        self.order
            .iter()
            .filter_map(|id| self.get(id))
            .filter(|job| job.state.is_live())
    }

    /// The job of that id; a new one waits in the queue.
    pub(super) fn insert(&mut self, request: &Request) -> &mut Job {
        if !self.jobs.contains_key(&request.reqid) {
            self.make_room();
            self.order.push_back(request.reqid.clone());
        }
        let job = self
            .jobs
            .entry(request.reqid.clone())
            .or_insert_with(|| Job::new(request));
        if job.record.user.is_none() {
            job.record.user = request.user.as_deref().map(shortened);
        }
        job
    }

    /// Forgets the oldest job that has ended, or the oldest of all.
    fn make_room(&mut self) {
        while self.order.len() >= self.most {
            let is_over = |id: &String| self.get(id).is_none_or(|job| !job.state.is_live());
            let oldest = self.order.iter().position(is_over).unwrap_or(0);
            if let Some(id) = self.order.remove(oldest) {
                self.jobs.remove(&id);
            }
        }
    }
}

impl Job {
    fn new(request: &Request) -> Self {
        let record = JobRecord {
            id: request.reqid.clone(),
            name: name(request),
            user: request.user.as_deref().map(shortened),
            state: JobState::Queued,
            ..JobRecord::default()
        };
        Self {
            record,
            announced: false,
            submitter: None,
            text: request.script.as_deref().map(digest),
        }
    }

    /// Whether its text is another one than before. Events are repeated after a login, so `processing` alone is no edit.
    pub(super) fn takes_text(&mut self, request: &Request) -> bool {
        let now = request.script.as_deref().map(digest);
        let before = self.text;
        self.text = now.or(before);
        before.is_some() && now.is_some() && before != now
    }
}

/// The name to remember, if it has one.
pub(super) fn name(request: &Request) -> Option<String> {
    let name = request.name.as_deref().filter(|name| !name.is_empty());
    name.map(shortened)
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST_TEXT)].to_owned()
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

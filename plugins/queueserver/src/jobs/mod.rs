//! What is known of the jobs: a state machine fed by looks at the server and by what its shim says, without any I/O.
//!
//! ```text
//! submit, or seen in the queue ─► queued ─ seen running ─► running ⇄ paused ─ in the history ─► succeeded | failed
//!                                   └─ gone from the queue ─► removed
//! neither running nor in the history, twice ─► lost (no environment any more), else unknown
//! ```
//!
//! Only the history's word ends a job: the server says that it is idle between any two items. The server gives an item that
//! it puts back another id; a job keeps its own, and the copy is none of it.

mod ask;
mod look;
mod table;

pub use look::{Ended, Found, How, Look};
pub use table::Job;

use patchbay_sdk::model::{JobBody, JobChange, JobState, LinkState, QueueBody, StateBody};

use crate::shape::{Ending, Item, Status};
use table::Table;

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The server's state or line has changed; with the running job.
    State(Option<String>, StateBody),
    /// Something happened to a job.
    Job(String, JobBody),
    /// The waiting jobs are in this order.
    Queue(QueueBody),
}

/// The jobs.
#[derive(Debug)]
pub struct Jobs {
    table: Table,
    queue: Vec<String>,
    running: Option<String>,
    last: Option<String>,
    seen: Option<String>,
    looked: bool,
    keeps_copies: bool,
    status: Status,
    link: LinkState,
    line: Option<u64>,
    held: bool,
    /// The job that somebody asked us to stop.
    stopping: Option<String>,
    wedged: bool,
    /// What waits is to be run.
    going: bool,
    /// Also what another client's failure has put back to the front.
    daring: bool,
    told: Option<(Option<String>, StateBody)>,
}

impl Jobs {
    /// No jobs; at most `most` will be remembered. With `keeps_copies` what the server puts back is a job of its own.
    #[must_use]
    pub fn new(most: usize, keeps_copies: bool) -> Self {
        Self {
            table: Table::new(most),
            queue: Vec::new(),
            running: None,
            last: None,
            seen: None,
            looked: false,
            keeps_copies,
            status: Status::default(),
            link: LinkState::Connecting,
            line: None,
            held: false,
            stopping: None,
            wedged: false,
            going: false,
            daring: false,
            told: None,
        }
    }

    /// A submit was acknowledged.
    pub fn submitted(&mut self, item: &Item) -> Vec<Notice> {
        let job = self.table.identify(item);
        job.missing = 0;
        let mut notices = announce(job);
        let id = job.record.id.clone();
        if !self.queue.contains(&id) && self.is_queued(&id) {
            self.queue.push(id);
        }
        notices.extend(self.state());
        notices
    }

    /// A waiting job was changed.
    pub fn edited(&mut self, id: &str, body: &str, alone: bool) -> Vec<Notice> {
        let Some(job) = self.table.get_mut(id) else {
            return Vec::new();
        };
        job.body = body.into();
        job.alone = alone;
        vec![notice(job, JobChange::Edited)]
    }

    /// What waits is to be run, or is not.
    pub fn set_going(&mut self, going: bool) {
        self.going = going;
        self.daring = false;
    }

    /// What waits is to be run, by somebody's express wish also what another client's failure has put back to the front.
    pub fn resume(&mut self) {
        (self.going, self.daring) = (true, true);
    }

    /// Somebody asked us to stop what runs; `None`: that was in vain.
    pub fn set_stopping(&mut self, job: Option<&str>) -> Vec<Notice> {
        self.stopping = job.map(str::to_owned);
        self.state()
    }

    /// The process in which jobs run does not answer any more, or does again.
    pub fn set_wedged(&mut self, wedged: bool) -> Vec<Notice> {
        self.wedged = wedged;
        self.state()
    }

    /// The server cannot be reached.
    pub fn link_down(&mut self) -> Vec<Notice> {
        self.link = LinkState::Down;
        self.state()
    }

    /// A script has begun, by its own word.
    pub fn begun(&mut self, id: &str, now: f64) -> Vec<Notice> {
        let mut notices = self.start(id, now);
        notices.extend(self.state());
        notices
    }

    /// The running script is at this line, or is held there, or goes on.
    pub fn at_line(&mut self, id: &str, line: Option<u64>, held: Option<bool>) -> Vec<Notice> {
        if self.running.as_deref() != Some(id) {
            return Vec::new();
        }
        if let Some(line) = line.filter(|line| *line > 0) {
            self.line = Some(line);
        }
        let mut notices = Vec::new();
        if let Some(held) = held {
            self.held = held;
            notices.extend(self.pause_running(held));
        }
        notices.extend(self.state());
        notices
    }

    /// A script that runs alone was uploaded.
    pub fn uploaded(&mut self, id: &str, task: &str, now: f64) -> Vec<Notice> {
        if let Some(job) = self.table.get_mut(id) {
            job.task = Some(task.to_owned());
        }
        self.queue.retain(|waiting| waiting != id);
        let mut notices = self.start(id, now);
        notices.extend(self.state());
        notices
    }

    /// A job has ended by another word than the history's.
    pub fn end(&mut self, id: &str, ending: &Ending, state: JobState, now: f64) -> Found {
        let mut found = Found::default();
        self.finish(id, ending, state, now, &mut found);
        found.notices.extend(self.state());
        found
    }

    fn start(&mut self, id: &str, now: f64) -> Vec<Notice> {
        let Some(job) = self.table.get_mut(id) else {
            return Vec::new();
        };
        job.missing = 0;
        if job.record.state != JobState::Queued {
            return Vec::new();
        }
        let mut notices = announce(job);
        self.daring = false;
        job.record.state = JobState::Running;
        job.record.started = Some(now);
        notices.push(notice(job, JobChange::Started));
        self.running = Some(id.to_owned());
        (self.line, self.held) = (None, false);
        self.queue.retain(|waiting| waiting != id);
        notices
    }

    fn pause_running(&mut self, paused: bool) -> Vec<Notice> {
        let (wanted, change) = match paused {
            true => (JobState::Paused, JobChange::Paused),
            false => (JobState::Running, JobChange::Resumed),
        };
        let running = self.running.as_ref().and_then(|id| self.table.get_mut(id));
        let Some(job) = running.filter(|job| job.record.state.is_live()) else {
            return Vec::new();
        };
        if job.record.state == wanted {
            return Vec::new();
        }
        job.record.state = wanted;
        vec![notice(job, change)]
    }

    /// The state, if it is not what was told last.
    fn state(&mut self) -> Vec<Notice> {
        let body = StateBody {
            run: self.run(),
            line: self.line,
            link: self.link,
        };
        let told = (self.running.clone(), body);
        if self.told.as_ref() == Some(&told) {
            return Vec::new();
        }
        self.told = Some(told.clone());
        vec![Notice::State(told.0, told.1)]
    }
}

fn announce(job: &mut Job) -> Vec<Notice> {
    if std::mem::replace(&mut job.announced, true) {
        return Vec::new();
    }
    vec![notice(job, JobChange::Queued)]
}

fn notice(job: &Job, change: JobChange) -> Notice {
    let body = JobBody::new(change, &job.record);
    Notice::Job(job.record.id.clone(), body)
}

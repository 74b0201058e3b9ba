//! What is known of the jobs: a state machine fed by events, replies and snapshots, without any I/O.
//!
//! ```text
//! request ─► queued ─ processing ─► running ⇄ paused ─ done ─► succeeded | failed
//!              └─ blocked ─► removed
//! link lost, and gone when it is back: daemon restarted ─► lost, else ─► unknown; a late `done` still counts
//! ```
//!
//! Only `done` ends a job well: the status is idle between any two blocks of a script. Events may overtake the replies
//! of the commands that caused them, and are repeated after a login, so every input may come twice and in any order.
//!
//! A daemon before protocol 22 never says `done`. There a job has ended when the next one begins, or when the daemon is
//! seen idle again and again; it has failed if the last idle status said so, and otherwise its outcome is not known.
//!
//! Source: `script_thread_entry` in NICOS's `nicos/services/daemon/script.py`, and what daemons were seen to do.

mod ask;
mod table;

use patchbay_sdk::model::{JobBody, JobChange, JobRecord, JobState, LinkState, Run, StateBody};

use crate::model::line;
use crate::shape::{Request, code};
use table::Table;

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The server's state or line has changed; with the running job.
    State(Option<String>, StateBody),
    /// Something happened to a job.
    Job(String, JobBody),
}

/// What a fresh look at the daemon shows.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// State and line.
    pub status: (i64, i64),
    /// What waits.
    pub queue: Vec<Request>,
    /// What runs, if the state says that something does.
    pub running: Option<Request>,
    /// Whether this daemon is another process than the one that was known.
    pub restarted: bool,
}

/// The jobs.
#[derive(Debug)]
pub struct Jobs {
    table: Table,
    running: Option<String>,
    last: Option<String>,
    status: (i64, i64),
    link: LinkState,
    told: Option<(Option<String>, StateBody)>,
    /// The daemon says `done`.
    says_done: bool,
    /// How the daemon has said to be idle since the running job has begun.
    idle: Option<i64>,
    /// How often something was seen at work.
    activity: u64,
}

type Notices = Vec<Notice>;

impl Jobs {
    /// No jobs; at most `most` will be remembered.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            table: Table::new(most),
            running: None,
            last: None,
            status: (code::IDLE, -1),
            link: LinkState::Connecting,
            told: None,
            says_done: true,
            idle: None,
            activity: 0,
        }
    }

    /// Whether this daemon says how a script has ended.
    pub fn set_says_done(&mut self, says_done: bool) {
        self.says_done = says_done;
    }

    /// A submit was acknowledged with this id.
    pub fn submitted(&mut self, request: &Request) {
        self.table.insert(request);
    }

    /// It was that session of that login that has submitted the job.
    pub fn belongs_to(&mut self, id: &str, user: &str, session: u64) {
        if let Some(job) = self.table.get_mut(id) {
            job.submitter = Some((user.to_owned(), session));
        }
    }

    /// A script was queued. Requests without a script are emergency stops, and no jobs.
    pub fn queued(&mut self, request: &Request) -> Notices {
        if request.script.is_none() {
            return Vec::new();
        }
        let job = self.table.insert(request);
        if job.announced || job.record.state != JobState::Queued {
            return Vec::new();
        }
        job.announced = true;
        vec![notice(&job.record, JobChange::Queued)]
    }

    /// A script begins, or the running one was changed.
    pub fn started(&mut self, request: &Request, now: f64) -> Notices {
        let mut notices = self.queued(request);
        let job = self.table.insert(request);
        let other_text = job.takes_text(request);
        let record = &mut job.record;
        match record.state {
            JobState::Running | JobState::Paused if other_text => {
                notices.push(notice(record, JobChange::Edited));
            }
            JobState::Queued | JobState::Unknown => {
                record.state = JobState::Running;
                record.started = Some(now);
                notices.push(notice(record, JobChange::Started));
                let outcome = self.unsaid_outcome();
                self.idle = None;
                let before = self.running.replace(request.reqid.clone());
                if let Some(before) = before.filter(|before| *before != request.reqid) {
                    notices.extend(self.end(&before, outcome, now));
                }
            }
            // A repetition of something long past.
            _ => {}
        }
        notices
    }

    /// Scripts were taken from the queue.
    pub fn removed(&mut self, ids: &[String], now: f64) -> Notices {
        let mut notices = Vec::new();
        for id in ids {
            if let Some(job) = self
                .table
                .get_mut(id)
                .filter(|job| job.record.state == JobState::Queued)
            {
                job.record.state = JobState::Removed;
                job.record.ended = Some(now);
                notices.push(notice(&job.record, JobChange::Removed));
            }
        }
        notices
    }

    /// A queued script was changed.
    pub fn edited(&mut self, request: &Request) -> Notices {
        let record = &mut self.table.insert(request).record;
        record.name = table::name(request);
        vec![notice(record, JobChange::Edited)]
    }

    /// A script has ended, in NICOS's own words.
    pub fn done(&mut self, request: &Request, now: f64) -> Notices {
        let outcome = match request.success {
            Some(true) => JobState::Succeeded,
            Some(false) => JobState::Failed,
            None => JobState::Unknown,
        };
        self.table.insert(request);
        let mut notices = self.end(&request.reqid, outcome, now);
        notices.extend(self.state());
        notices
    }

    /// The server's state or line has changed, by its own word: what it says then is of the running job.
    pub fn status(&mut self, status: (i64, i64)) -> Notices {
        self.idle = Some(status.0).filter(|state| *state < code::RUNNING);
        self.show(status)
    }

    /// The server is seen in this state. It may be idle after a failure of a job before, or of one that nobody saw.
    fn show(&mut self, status: (i64, i64)) -> Notices {
        let before = std::mem::replace(&mut self.status, status).0;
        self.activity += u64::from(status.0 >= code::RUNNING);
        let change = match (before, status.0) {
            (code::PAUSED, code::PAUSED) => None,
            (_, code::PAUSED) => Some((JobState::Paused, JobChange::Paused)),
            (code::PAUSED, code::RUNNING) => Some((JobState::Running, JobChange::Resumed)),
            _ => None,
        };
        let running = self.running.as_ref().and_then(|id| self.table.get_mut(id));
        let mut notices = Vec::new();
        if let (Some((state, change)), Some(job)) = (change, running) {
            job.record.state = state;
            notices.push(notice(&job.record, change));
        }
        notices.extend(self.state());
        notices
    }

    /// The daemon cannot be reached.
    pub fn link_down(&mut self) -> Notices {
        self.link = LinkState::Down;
        self.state()
    }

    /// The daemon can be reached, but could not be looked at.
    pub fn link_up(&mut self) -> Notices {
        self.link = LinkState::Up;
        self.state()
    }

    /// The daemon can be reached (again), and this is what it shows.
    pub fn resync(&mut self, snapshot: &Snapshot, now: f64) -> Notices {
        self.link = LinkState::Up;
        let mut notices = Vec::new();
        for request in &snapshot.queue {
            notices.extend(self.queued(request));
        }
        if let Some(running) = &snapshot.running
            && self.running.as_ref() != Some(&running.reqid)
        {
            notices.extend(self.started(running, now));
        }
        notices.extend(self.show(snapshot.status));
        notices
    }

    /// Ends the jobs that were live before a look that did not show them, and of which nothing has been heard since.
    pub fn settle(
        &mut self,
        before: &[(String, JobState)],
        snapshot: &Snapshot,
        now: f64,
    ) -> Notices {
        let running = self.running.clone();
        let ended = self.unsaid_outcome();
        let outcome = |id: &String| match running.as_ref() == Some(id) {
            _ if snapshot.restarted => JobState::Lost,
            true => ended,
            // Nothing was heard of its beginning, so the idle status is not its own.
            false => JobState::Unknown,
        };
        let is_there = |id: &str| {
            let mut there = snapshot.queue.iter().chain(&snapshot.running);
            there.any(|request| request.reqid == id)
        };
        let mut notices = Vec::new();
        for (id, state) in before {
            if !is_there(id) && self.get(id).is_some_and(|job| job.state == *state) {
                notices.extend(self.end(id, outcome(id), now));
            }
        }
        notices.extend(self.state());
        notices
    }

    /// The outcome of a job of which nobody said how it has ended. A daemon that says so has lost the word on its way,
    /// and its idle status may be another job's.
    fn unsaid_outcome(&self) -> JobState {
        match self.idle {
            Some(code::IDLE_AFTER_FAILURE) if !self.says_done => JobState::Failed,
            _ => JobState::Unknown,
        }
    }

    fn end(&mut self, id: &str, outcome: JobState, now: f64) -> Notices {
        let Some(job) = self.table.get_mut(id) else {
            return Vec::new();
        };
        if self.running.as_deref() == Some(id) {
            self.running = None;
        }
        // Only an end that nobody saw can be corrected by a better word.
        let settled = !job.record.state.is_live() && job.record.state != JobState::Unknown;
        if settled || job.record.state == outcome {
            return Vec::new();
        }
        job.record.state = outcome;
        job.record.ended = Some(now);
        self.last = Some(id.to_owned());
        vec![notice(&job.record, JobChange::Finished)]
    }

    /// The state, if it is not what was told last.
    fn state(&mut self) -> Notices {
        let run = if self.link == LinkState::Up {
            self.run(self.status.0)
        } else {
            Run::Unknown
        };
        let line = line(self.status.1).filter(|_| run != Run::Unknown);
        let told = (
            self.running.clone(),
            StateBody {
                run,
                line,
                link: self.link,
            },
        );
        if self.told.as_ref() == Some(&told) {
            return Vec::new();
        }
        self.told = Some(told.clone());
        vec![Notice::State(told.0, told.1)]
    }
}

fn notice(record: &JobRecord, change: JobChange) -> Notice {
    Notice::Job(record.id.clone(), JobBody::new(change, record))
}

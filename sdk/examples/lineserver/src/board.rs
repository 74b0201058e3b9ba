//! What is known of the server and its jobs, from which everybody is answered.
//!
//! All of it is behind one lock, which is never held while anything is waited for. What changes is told under that lock,
//! after the change, so that whoever hears of it and asks finds it so, and events have the order of what happened.
//!
//! A job's id is made here, and goes to the server with its script: so it is known again after either of the two was restarted.

use crate::jobs::{Job, NewJob, State};
use crate::line;
use patchbay_sdk::model::args::{Find, Look, Submit, Which};
use patchbay_sdk::model::{
    JobBody, JobChange, JobRecord, JobState, Level, LinkBody, LinkState, Log, LogLine, QueuedJob,
    RunningJob, StateBody, Status,
};
use patchbay_sdk::{BackendContext, Event, EventKind, Fault, FaultKind};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Lines of the log that are remembered.
const LINES_KEPT: usize = 1000;

pub(crate) struct Board {
    state: Mutex<State>,
    cx: BackendContext,
    /// Ids begin with this, so that none is used again after a restart.
    began: u128,
    next: AtomicU64,
}

impl Board {
    pub(crate) fn new(cx: BackendContext) -> Self {
        Board {
            state: Mutex::default(),
            cx,
            began: since_1970().as_nanos(),
            next: AtomicU64::new(1),
        }
    }

    pub(crate) fn new_job(&self, user: &str, asked: Submit) -> NewJob {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        NewJob {
            id: format!("{:x}-{number}", self.began),
            code: asked.code.into(),
            name: asked.name,
            user: user.to_owned(),
            submitted: now(),
        }
    }

    // What the connection tells.

    pub(crate) fn is_up(&self) {
        let mut state = self.lock();
        state.link = LinkState::Up;
        self.tell(EventKind::Link, None, &LinkBody::up("1"));
        self.tell_state(&state);
    }

    pub(crate) fn is_down(&self, why: &str) {
        let mut state = self.lock();
        if state.link != LinkState::Down {
            state.link = LinkState::Down;
            self.tell(EventKind::Link, None, &LinkBody::down(why));
            self.tell_state(&state);
        }
    }

    /// The server has taken it.
    pub(crate) fn is_queued(&self, job: NewJob) {
        let mut state = self.lock();
        let job = Job::new(job, false);
        self.tell_job(JobChange::Queued, &job.record);
        state.jobs.push_back(job);
    }

    /// It was sent to the server, and no answer came.
    pub(crate) fn is_in_doubt(&self, job: NewJob) {
        self.lock().jobs.push_back(Job::new(job, true));
    }

    /// The jobs of which the server has not said how they ended.
    pub(crate) fn unsettled(&self) -> Vec<String> {
        let state = self.lock();
        let live = state.jobs.iter().filter(|job| job.record.state.is_live());
        live.map(|job| job.record.id.clone()).collect()
    }

    /// What the server says of such a job when it is there again; `None` if it does not know it.
    pub(crate) fn settles(&self, id: &str, said: Option<&str>) {
        if self.was_in_doubt(id, said.is_some()) {
            return;
        }
        match said.map(|said| said.split_once(' ').unwrap_or((said, ""))) {
            Some(("RUNNING", line)) => {
                self.begins(id);
                if let Ok(line) = line.parse() {
                    self.is_at(id, line);
                }
            }
            Some(("DONE", outcome)) => match line::outcome(outcome) {
                Some(outcome) => self.ends(id, outcome),
                None => self.end_as(id, JobState::Unknown, None),
            },
            Some(("DROPPED", _)) => self.is_dropped(id),
            Some(_) => {}
            None => self.end_as(id, JobState::Lost, Some("the server knows it no more")),
        }
    }

    /// Tells of a job that was in doubt, now that the server knows it; or forgets it, and says so, as it has never been there.
    fn was_in_doubt(&self, id: &str, is_there: bool) -> bool {
        let mut state = self.lock();
        let Some(at) = state
            .jobs
            .iter()
            .position(|job| job.record.id == id && job.in_doubt)
        else {
            return false;
        };
        if !is_there {
            state.jobs.remove(at);
            return true;
        }
        state.jobs[at].in_doubt = false;
        self.tell_job(JobChange::Queued, &state.jobs[at].record);
        false
    }

    pub(crate) fn begins(&self, id: &str) {
        self.was_in_doubt(id, true);
        let mut state = self.lock();
        let job = state.job_or_anothers(id);
        if job.record.state == JobState::Queued {
            job.record.state = JobState::Running;
            job.record.started = Some(now());
            self.tell_job(JobChange::Started, &job.record);
            self.tell_state(&state);
        }
    }

    pub(crate) fn is_at(&self, id: &str, line: u64) {
        let mut state = self.lock();
        state.job_or_anothers(id).line = Some(line);
        self.tell_state(&state);
    }

    pub(crate) fn says(&self, id: &str, text: &str) {
        let mut state = self.lock();
        let line = LogLine {
            time: now(),
            level: Level::Info,
            logger: "lineserver".to_owned(),
            text: text.to_owned(),
            job: Some(id.to_owned()),
            traceback: None,
        };
        self.tell(EventKind::Log, Some(id), &line);
        state.log.push_back(line);
        if state.log.len() > LINES_KEPT {
            state.log.pop_front();
        }
    }

    pub(crate) fn ends(&self, id: &str, outcome: Result<(), String>) {
        // Its beginning may have been missed.
        self.begins(id);
        match outcome {
            Ok(()) => self.end_as(id, JobState::Succeeded, None),
            Err(why) => self.end_as(id, JobState::Failed, Some(&why)),
        }
    }

    pub(crate) fn is_dropped(&self, id: &str) {
        self.end_as(id, JobState::Removed, None);
    }

    fn end_as(&self, id: &str, how: JobState, error: Option<&str>) {
        self.was_in_doubt(id, true);
        let mut state = self.lock();
        let job = state.job_or_anothers(id);
        if !job.record.state.is_live() {
            return;
        }
        job.record.state = how;
        job.record.error = error.map(str::to_owned);
        job.record.ended = Some(now());
        let change = match how {
            JobState::Removed => JobChange::Removed,
            _ => JobChange::Finished,
        };
        self.tell_job(change, &job.record);
        state.forget_the_oldest();
        self.tell_state(&state);
    }

    // What clients ask.

    pub(crate) fn is_busy(&self) -> bool {
        let state = self.lock();
        state.jobs.iter().any(|job| job.record.state.is_live())
    }

    pub(crate) fn waiting(&self) -> Vec<String> {
        let state = self.lock();
        let waiting = state.of(JobState::Queued);
        waiting.map(|job| job.record.id.clone()).collect()
    }

    /// One of those that it knows, so that it can stand in a line.
    pub(crate) fn known(&self, id: &str) -> Result<String, Fault> {
        self.job(&Which { job: id.to_owned() })
            .map(|record| record.id)
    }

    pub(crate) fn job(&self, asked: &Which) -> Result<JobRecord, Fault> {
        let state = self.lock();
        let found = state.jobs.iter().find(|job| job.record.id == asked.job);
        let record = found.map(|job| job.record.clone());
        record.ok_or_else(|| {
            let why = format!("there is no job `{}`", asked.job);
            Fault::new(FaultKind::NotFound, why)
        })
    }

    /// Which of somebody's jobs came of that `submit`. While the server is away nobody knows.
    pub(crate) fn find(&self, user: &str, asked: &Find) -> Result<Vec<String>, Fault> {
        let state = self.lock();
        if state.link != LinkState::Up {
            return Err(Fault::new(
                FaultKind::Unavailable,
                "the line server is away",
            ));
        }
        let wanted = |job: &&Job| {
            job.record.user.as_deref() == Some(user)
                && job.record.submitted >= Some(asked.since)
                && job.record.name == asked.submit.name
                && *job.code == *asked.submit.code
        };
        let found = state.jobs.iter().filter(wanted);
        Ok(found.map(|job| job.record.id.clone()).collect())
    }

    pub(crate) fn status(&self) -> Status {
        let state = self.lock();
        let waits = state.of(JobState::Queued).filter(|job| !job.in_doubt);
        Status {
            link: state.link,
            run: state.run(),
            job: state.running().map(|job| RunningJob {
                id: Some(job.record.id.clone()),
                name: job.record.name.clone(),
                user: job.record.user.clone(),
                body: job.code.clone(),
                line: job.line,
                external: job.record.external,
                started: job.record.started,
            }),
            queue: waits
                .map(|job| QueuedJob {
                    id: job.record.id.clone(),
                    name: job.record.name.clone(),
                    user: job.record.user.clone(),
                    body: job.code.clone(),
                    external: job.record.external,
                })
                .collect(),
            last: state.last().map(|job| job.record.clone()),
            ..Status::default()
        }
    }

    pub(crate) fn log(&self, asked: Look) -> Log {
        let state = self.lock();
        let most = asked.last.map_or(LINES_KEPT, |last| last as usize);
        let left_out = state.log.len().saturating_sub(most);
        Log {
            messages: state.log.iter().skip(left_out).cloned().collect(),
            ..Log::default()
        }
    }

    // How it is told.

    fn tell_job(&self, change: JobChange, record: &JobRecord) {
        let body = JobBody::new(change, record);
        self.tell(EventKind::Job, Some(&record.id), &body);
    }

    fn tell_state(&self, state: &State) {
        let body = StateBody {
            run: state.run(),
            line: state.running().and_then(|job| job.line),
            link: state.link,
        };
        self.tell(EventKind::State, None, &body);
    }

    fn tell(&self, kind: EventKind, job: Option<&str>, body: &impl Serialize) {
        match Event::new(kind, body) {
            Ok(event) => self.cx.emit(match job {
                Some(job) => event.job(job),
                None => event,
            }),
            Err(fault) => tracing::error!(%fault, "an event could not be told"),
        }
    }

    /// A panic elsewhere leaves a job or a line too few, nothing worse.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn now() -> f64 {
    since_1970().as_secs_f64()
}

//! The jobs, and how they are worked off.
//!
//! All of it is behind one lock, which is never held while anything is waited for. What changes is told under that lock,
//! after the change, so that whoever hears of it and asks finds it so, and events have the order of what happened.

use crate::Config;
use patchbay_sdk::model::args::{Find, Look, Remove, Submit, Which};
use patchbay_sdk::model::{
    JobBody, JobChange, JobRecord, JobState, Level, LinkState, Log, LogLine, QueuedJob, Run,
    RunningJob, StateBody, Status,
};
use patchbay_sdk::{BackendContext, Event, EventKind, Fault, FaultKind, Stop};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;
use tokio::time::sleep;

/// Jobs that are remembered when they have ended, and lines of the log.
const ENDED_KEPT: usize = 100;
const LINES_KEPT: usize = 1000;

pub(crate) struct Queue {
    state: Mutex<State>,
    /// A job has come.
    news: Notify,
    line: Duration,
    most: usize,
    cx: BackendContext,
    /// Ids begin with this, so that none is used again after a restart.
    began: u128,
}

#[derive(Default)]
struct State {
    /// Those that have ended, then the one that runs, then those that wait.
    jobs: VecDeque<Job>,
    log: VecDeque<LogLine>,
    next: u64,
}

struct Job {
    record: JobRecord,
    code: Arc<str>,
    line: Option<u64>,
    /// Who wants it to end.
    stop: Arc<Notify>,
}

/// How a job ended, if it did not succeed.
type Failure = (JobState, String);

impl Queue {
    pub(crate) fn new(config: &Config, cx: BackendContext) -> Self {
        Queue {
            state: Mutex::default(),
            news: Notify::new(),
            line: Duration::from_millis(config.line_ms),
            most: config.jobs,
            cx,
            began: since_1970().as_nanos(),
        }
    }

    pub(crate) fn submit(&self, user: &str, asked: Submit) -> Result<String, Fault> {
        let mut state = self.lock();
        let waiting = state.of(JobState::Queued).count();
        if waiting >= self.most {
            let why = format!("{waiting} jobs wait already, and more may not");
            return Err(Fault::new(FaultKind::Busy, why));
        }
        if asked.start && state.busy() {
            return Err(conflict("something runs or waits already"));
        }
        state.next += 1;
        let id = format!("{:x}-{}", self.began, state.next);
        let record = JobRecord {
            id: id.clone(),
            name: asked.name,
            user: Some(user.to_owned()),
            state: JobState::Queued,
            submitted: Some(now()),
            ..JobRecord::default()
        };
        self.tell_job(JobChange::Queued, &record);
        state.jobs.push_back(Job {
            record,
            code: asked.code.into(),
            line: None,
            stop: Arc::default(),
        });
        self.news.notify_one();
        Ok(id)
    }

    /// Which of somebody's jobs came of that `submit`: the gateway asks after it was interrupted.
    pub(crate) fn find(&self, user: &str, asked: &Find) -> Vec<String> {
        let wanted = |job: &&Job| {
            job.record.user.as_deref() == Some(user)
                && job.record.submitted >= Some(asked.since)
                && job.record.name == asked.submit.name
                && *job.code == *asked.submit.code
        };
        let state = self.lock();
        let found = state.jobs.iter().filter(wanted);
        found.map(|job| job.record.id.clone()).collect()
    }

    pub(crate) fn job(&self, asked: &Which) -> Result<JobRecord, Fault> {
        let state = self.lock();
        let found = state.jobs.iter().find(|job| job.record.id == asked.job);
        let record = found.map(|job| job.record.clone());
        record.ok_or_else(|| no_job(&asked.job))
    }

    pub(crate) fn remove(&self, asked: Remove) -> Result<(), Fault> {
        let which = asked.which()?;
        let mut state = self.lock();
        if let Some(id) = &which {
            let found = state.jobs.iter().find(|job| job.record.id == *id);
            match found.map(|job| job.record.state) {
                Some(JobState::Queued) => {}
                Some(_) => return Err(conflict("only a job that waits can be removed")),
                None => return Err(no_job(id)),
            }
        }
        self.remove_waiting(&mut state, which.as_deref());
        Ok(())
    }

    pub(crate) fn stop(&self, user: &str) -> Result<(), Fault> {
        let state = self.lock();
        let running = state.of(JobState::Running).next();
        let running = running.ok_or_else(|| conflict("nothing runs"))?;
        tracing::info!(user, job = running.record.id, "is being stopped");
        running.stop.notify_one();
        Ok(())
    }

    /// Stops everything, and is no error if there is nothing.
    pub(crate) fn emergency(&self, user: &str) {
        self.remove_waiting(&mut self.lock(), None);
        // An error means that nothing runs.
        let _ = self.stop(user);
    }

    pub(crate) fn status(&self) -> Status {
        let state = self.lock();
        let running = state.of(JobState::Running).next();
        let waits = state.of(JobState::Queued).map(|job| QueuedJob {
            id: job.record.id.clone(),
            name: job.record.name.clone(),
            user: job.record.user.clone(),
            body: job.code.clone(),
            ..QueuedJob::default()
        });
        Status {
            link: LinkState::Up,
            run: state.run(),
            job: running.map(|job| RunningJob {
                id: Some(job.record.id.clone()),
                name: job.record.name.clone(),
                user: job.record.user.clone(),
                body: job.code.clone(),
                line: job.line,
                started: job.record.started,
                ..RunningJob::default()
            }),
            queue: waits.collect(),
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

    /// Runs one job after the other, until the gateway wants the instance to end.
    pub(crate) async fn work_off(&self, stop: &Stop) {
        while !stop.is_stopping() {
            match self.begin() {
                Some((code, wanted)) => {
                    let outcome = self.carry_out(&code, &wanted, stop).await;
                    self.end(outcome.err());
                }
                None => tokio::select! {
                    () = self.news.notified() => {}
                    () = stop.wait() => {}
                },
            }
        }
    }

    fn begin(&self) -> Option<(Arc<str>, Arc<Notify>)> {
        let mut state = self.lock();
        let job = state.first(JobState::Queued)?;
        job.record.state = JobState::Running;
        job.record.started = Some(now());
        let begun = (job.code.clone(), job.stop.clone());
        self.tell_job(JobChange::Started, &job.record);
        self.tell_state(&state, None);
        Some(begun)
    }

    /// What a script does: it says its lines. One that is `fail` fails, one that is `wait` lasts until the script is stopped.
    async fn carry_out(&self, code: &str, wanted: &Notify, stop: &Stop) -> Result<(), Failure> {
        for (number, text) in (1..).zip(code.lines()) {
            self.is_at(number);
            let over = text.trim() != "wait";
            tokio::select! {
                () = sleep(self.line), if over => {}
                () = wanted.notified() => return Err((JobState::Failed, "stopped".to_owned())),
                () = stop.wait() => return Err((JobState::Lost, "the gateway ended".to_owned())),
            }
            if text.trim() == "fail" {
                return Err((JobState::Failed, format!("line {number} says `fail`")));
            }
            self.say(text);
        }
        Ok(())
    }

    fn is_at(&self, line: u64) {
        let mut state = self.lock();
        if let Some(job) = state.first(JobState::Running) {
            job.line = Some(line);
        }
        self.tell_state(&state, Some(line));
    }

    fn say(&self, text: &str) {
        let mut state = self.lock();
        let job = state.of(JobState::Running).next();
        let line = LogLine {
            time: now(),
            level: Level::Info,
            logger: "script".to_owned(),
            text: text.to_owned(),
            job: job.map(|job| job.record.id.clone()),
            traceback: None,
        };
        self.tell(EventKind::Log, line.job.as_deref(), &line);
        state.log.push_back(line);
        if state.log.len() > LINES_KEPT {
            state.log.pop_front();
        }
    }

    fn end(&self, failure: Option<Failure>) {
        let mut state = self.lock();
        if let Some(job) = state.first(JobState::Running) {
            let (how, error) = failure.unzip();
            job.record.state = how.unwrap_or(JobState::Succeeded);
            job.record.error = error;
            job.record.ended = Some(now());
            self.tell_job(JobChange::Finished, &job.record);
        }
        state.forget_the_oldest();
        self.tell_state(&state, None);
    }

    fn remove_waiting(&self, state: &mut State, only: Option<&str>) {
        for job in &mut state.jobs {
            let is_meant = only.is_none_or(|id| id == job.record.id);
            if is_meant && job.record.state == JobState::Queued {
                job.record.state = JobState::Removed;
                job.record.ended = Some(now());
                self.tell_job(JobChange::Removed, &job.record);
            }
        }
        state.forget_the_oldest();
    }

    fn tell_job(&self, change: JobChange, record: &JobRecord) {
        let body = JobBody::new(change, record);
        self.tell(EventKind::Job, Some(&record.id), &body);
    }

    fn tell_state(&self, state: &State, line: Option<u64>) {
        let body = StateBody {
            run: state.run(),
            line,
            link: LinkState::Up,
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

    /// A panic elsewhere leaves a job too many or a line too few, nothing worse.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&self, state: JobState) -> impl Iterator<Item = &Job> {
        let is_so = move |job: &&Job| job.record.state == state;
        self.jobs.iter().filter(is_so)
    }

    fn first(&mut self, state: JobState) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.record.state == state)
    }

    fn busy(&self) -> bool {
        self.jobs.iter().any(|job| job.record.state.is_live())
    }

    /// The job that ended last.
    fn last(&self) -> Option<&Job> {
        let ran = |job: &&Job| job.record.started.is_some() && !job.record.state.is_live();
        self.jobs.iter().rfind(ran)
    }

    fn run(&self) -> Run {
        match (self.of(JobState::Running).next(), self.last()) {
            (Some(_), _) => Run::Running,
            (None, Some(job)) if job.record.state != JobState::Succeeded => Run::IdleAfterFailure,
            (None, _) => Run::Idle,
        }
    }

    fn forget_the_oldest(&mut self) {
        let ended = self.jobs.iter().filter(|job| !job.record.state.is_live());
        let mut too_many = ended.count().saturating_sub(ENDED_KEPT);
        self.jobs.retain(|job| {
            let goes = too_many > 0 && !job.record.state.is_live();
            too_many -= usize::from(goes);
            !goes
        });
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

fn conflict(why: &str) -> Fault {
    Fault::new(FaultKind::Conflict, why)
}

fn no_job(id: &str) -> Fault {
    Fault::new(FaultKind::NotFound, format!("there is no job `{id}`"))
}

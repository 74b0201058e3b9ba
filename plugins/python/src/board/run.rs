//! The job that runs.

use std::time::{Duration, Instant};

use patchbay_sdk::model::{JobChange, JobRecord, JobState, Level, LinkState, Prompt};
use patchbay_sdk::{EventKind, Fault, FaultKind};
use serde_json::json;

use super::{Board, Running, Saying, State, ended};
use crate::config::OnStop;
use crate::job::Job;
use crate::worker::Worker;

/// As much of a script is logged when it begins, in bytes.
const SHOWN: usize = 8192;

/// A line of output is counted as this many bytes more than it has.
const BESIDE: usize = 64;

/// What runs beside scripts may print as much as one of them, and after so long as much again.
const AGAIN: Duration = Duration::from_secs(60);

/// What threads of earlier scripts, and what is evaluated, may still print.
#[derive(Default)]
pub(super) struct Beside {
    since: Option<Instant>,
    left: Option<usize>,
}

impl Beside {
    fn left(&mut self, most: usize) -> &mut Option<usize> {
        if self.since.is_none_or(|since| since.elapsed() >= AGAIN) {
            self.since = Some(Instant::now());
            self.left = Some(most);
        }
        &mut self.left
    }
}

/// A job that is being stopped.
pub struct Halt {
    /// Its id.
    pub job: String,
    /// Where it runs.
    pub worker: Worker,
}

impl Board {
    /// The job that may begin now.
    #[must_use]
    pub fn next(&self) -> Option<(Job, Worker)> {
        let state = self.lock();
        let may = state.running.is_none() && state.held.is_none() && state.link == LinkState::Up;
        let worker = state.worker.clone().filter(|_| may)?;
        Some((state.queue.front()?.clone(), worker))
    }

    /// A job begins; whether it still may: everything could have been stopped while the disk was busy with it.
    pub fn began(&self, mut job: Job, now: f64) -> bool {
        let mut state = self.lock();
        state.queue.retain(|waits| waits.record.id != job.record.id);
        job.record.state = JobState::Running;
        job.record.started = Some(now);
        let may = state.held.is_none();
        self.tell_job(&job.record, JobChange::Started);
        let text = input(&job);
        let id = job.record.id.clone();
        state.running = Some(Running {
            job,
            line: None,
            paused: false,
            stopping: None,
            output_left: Some(self.settings.output_bytes),
        });
        self.tell_state(&mut state);
        let saying = Saying {
            level: Level::Input,
            logger: super::OWN,
            text,
            job: Some(&id),
            traceback: None,
        };
        self.log(&mut state, saying);
        state.settle_hold();
        may
    }

    /// The job's record as it is when it has ended so.
    #[must_use]
    pub fn end_of(&self, id: &str, outcome: JobState, error: Option<String>) -> Option<JobRecord> {
        let state = self.lock();
        let running = state.running.as_ref()?;
        let record = &running.job.record;
        (record.id == id).then(|| ended(record, outcome, error))
    }

    /// Why the job is being stopped, if it is.
    #[must_use]
    pub fn why_stopping(&self, id: &str) -> Option<String> {
        let state = self.lock();
        let running = state.running.as_ref()?;
        let ours = running.job.record.id == id;
        running.stopping.clone().filter(|_| ours)
    }

    /// The job that runs, if one does.
    #[must_use]
    pub fn running(&self) -> Option<String> {
        self.lock().running_id().map(String::from)
    }

    /// The job has ended; what is waiting may begin, unless it is to be held for `hold`.
    pub fn ended(&self, record: JobRecord, traceback: Option<String>, hold: Option<&str>) {
        let mut state = self.lock();
        self.settle_prompt(&mut state, None);
        if let Some(error) = &record.error {
            let saying = Saying {
                level: Level::Error,
                logger: super::OWN,
                text: error.clone(),
                job: Some(&record.id),
                traceback,
            };
            self.log(&mut state, saying);
        }
        let code = state.running.take().map(|running| running.job.code);
        if let Some(hold) = hold.filter(|_| !state.queue.is_empty()) {
            state.held.get_or_insert_with(|| hold.to_owned());
        }
        self.tell_job(&record, JobChange::Finished);
        state.last = code.map(|code| Job { record, code });
        self.tell_state(&mut state);
        self.changed();
    }

    /// The script is at that line.
    pub fn line(&self, id: &str, line: u64) {
        self.of_running(id, |running| running.line = Some(line));
    }

    /// The script is held before that line.
    pub fn paused(&self, id: &str, line: u64) {
        self.of_running(id, |running| {
            running.line = Some(line);
            running.paused = true;
        });
    }

    /// The script goes on.
    pub fn resumed(&self, id: &str) {
        self.of_running(id, |running| running.paused = false);
    }

    fn of_running(&self, id: &str, change: impl FnOnce(&mut Running)) {
        let mut state = self.lock();
        let Some(running) = state.running.as_mut() else {
            return;
        };
        if running.job.record.id != id {
            return;
        }
        let before = running.paused;
        change(running);
        let (after, record) = (running.paused, running.job.record.clone());
        match (before, after) {
            (false, true) => self.tell_job(&record, JobChange::Paused),
            (true, false) => self.tell_job(&record, JobChange::Resumed),
            _ => {}
        }
        self.tell_state(&mut state);
    }

    /// Something was printed; what is too much is left out.
    pub fn printed(&self, saying: Saying<'_>) {
        let mut state = self.lock();
        let size = saying.text.len() + BESIDE;
        let ours = saying.job.is_some() && saying.job == state.running_id();
        let left = match state.running.as_mut().filter(|_| ours) {
            Some(running) => &mut running.output_left,
            None => state.beside.left(self.settings.output_bytes),
        };
        let Some(room) = *left else {
            return;
        };
        *left = room.checked_sub(size);
        if left.is_some() {
            return self.log(&mut state, saying);
        }
        let what = if ours {
            "the script"
        } else {
            "what runs beside scripts"
        };
        let text = format!(
            "{what} has printed too much (`output_bytes`); what it prints from here on is left out"
        );
        let saying = Saying {
            level: Level::Warning,
            text,
            ..saying
        };
        self.count("output_left_out");
        self.log(&mut state, saying);
    }

    // ---- what people want of it

    /// The job that runs, and where.
    ///
    /// # Errors
    /// `Conflict` if none does.
    pub fn in_hand(&self) -> Result<(String, Worker), Fault> {
        let state = self.lock();
        let id = state.running_id().map(String::from);
        let in_hand = id.zip(state.worker.clone());
        in_hand.ok_or_else(|| Fault::new(FaultKind::Conflict, "no script is running"))
    }

    /// The job that runs is to be stopped; what waits is held at once, if that is the policy.
    ///
    /// # Errors
    /// `Conflict` if none runs.
    pub fn stopping(&self, why: &str) -> Result<Halt, Fault> {
        let (job, worker) = self.in_hand()?;
        let mut state = self.lock();
        if self.settings.on_stop != OnStop::Continue && !state.queue.is_empty() {
            state.held.get_or_insert_with(|| why.to_owned());
        }
        self.mark_stopping(&mut state, &job, why);
        Ok(Halt { job, worker })
    }

    /// Nothing begins any more, whatever the policy is; and the job that runs, if one does, is to be stopped.
    pub fn halt(&self, why: &str) -> Option<Halt> {
        let running = self.in_hand().ok();
        let mut state = self.lock();
        // Also if nothing seems to wait: something may be about to begin.
        state.held = Some(why.to_owned());
        let (job, worker) = running?;
        self.mark_stopping(&mut state, &job, why);
        Some(Halt { job, worker })
    }

    fn mark_stopping(&self, state: &mut State, job: &str, why: &str) {
        if let Some(running) = state.running.as_mut()
            && running.job.record.id == job
        {
            running.stopping.get_or_insert_with(|| why.to_owned());
            running.paused = false;
        }
        self.tell_state(state);
    }

    /// What waits may begin; whether it was held.
    pub fn release(&self) -> bool {
        let was_held = self.lock().held.take().is_some();
        self.wake.notify_one();
        was_held
    }

    /// Nothing begins until somebody says so.
    pub fn hold(&self, why: &str) {
        self.lock().held = Some(why.to_owned());
    }

    // ---- what it asks

    /// The script asks.
    pub fn asked(&self, prompt: Prompt) {
        let mut state = self.lock();
        self.settle_prompt(&mut state, None);
        self.emit(EventKind::Prompt, prompt.job.as_deref(), &prompt);
        state.prompt = Some(prompt);
    }

    /// A question is settled.
    pub fn answered(&self, prompt: &str) {
        self.settle_prompt(&mut self.lock(), Some(prompt));
    }

    fn settle_prompt(&self, state: &mut State, which: Option<&str>) {
        let open = state
            .prompt
            .take_if(|open| which.is_none_or(|which| open.prompt == which));
        if let Some(open) = open {
            let body = json!({ "prompt": open.prompt });
            self.emit(EventKind::PromptDone, open.job.as_deref(), &body);
        }
    }
}

/// A script as it is logged when it begins.
fn input(job: &Job) -> String {
    let code = &job.code[..job.code.floor_char_boundary(SHOWN)];
    let cut = if code.len() < job.code.len() {
        "\n…"
    } else {
        ""
    };
    format!(">>> [{}] {}\n{code}{cut}", job.user(), job.called())
}

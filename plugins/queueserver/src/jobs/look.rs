//! What a look at the server tells of the jobs.

use patchbay_sdk::model::{JobChange, JobKind, JobState, LinkState, QueueBody};

use super::{Jobs, Notice, announce, notice};
use crate::shape::{Ending, Item, Status};

/// What a look at the server shows. The history is looked at after the queue, so that no job is in neither.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Its state.
    pub status: Status,
    /// What waits, in order, if that was looked at.
    pub queue: Option<(Vec<Item>, Option<Item>)>,
    /// What has ended, if that was looked at, oldest first.
    pub history: Option<Vec<Item>>,
}

/// A job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub job: String,
    /// Another client's.
    pub external: bool,
    /// How.
    pub how: How,
}

/// How a job ended, as far as it matters to those that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Well, or nobody knows.
    Well,
    /// By an error.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// Somebody aborted or halted it, or destroyed its environment.
    Aborted,
}

/// What a look has brought.
#[derive(Debug, Default)]
pub struct Found {
    /// To be told.
    pub notices: Vec<Notice>,
    /// Jobs that have ended, with the word of the history.
    pub ended: Vec<(Ended, Ending)>,
    /// Items that the server has put back, by its ids: their jobs have ended.
    pub copies: Vec<String>,
    /// Another client's order to the queue, such as to stop, has been carried out.
    pub ordered: bool,
    /// A script that runs alone is due: the server has come to its place.
    pub due: Option<String>,
}

impl Jobs {
    /// What a look shows.
    pub fn look(&mut self, look: Look, now: f64) -> Found {
        let mut found = Found::default();
        self.link = LinkState::Up;
        if !look.status.worker_environment_exists {
            self.wedged = false;
        }
        // Somebody has started the queue, perhaps before anybody looked: then it is to go on.
        let stood = matches!(
            self.status.manager_state.as_str(),
            "" | "idle" | "starting_queue"
        );
        if stood && look.status.manager_state == "executing_queue" {
            self.going = true;
        }
        // A pause that comes too late for a plan ends with it, and stands for the queue.
        let too_late = look.status.pause_pending && look.status.is_idle() && !self.status.is_idle();
        if look.status.queue_stop_pending || too_late {
            self.going = false;
        }
        self.status = look.status;
        let whole = look.queue.is_some() && look.history.is_some();
        if let Some(history) = look.history {
            self.read_history(&history, now, &mut found);
        }
        if let Some((queue, running)) = look.queue {
            self.read_queue(&queue, running.as_ref(), now, &mut found);
            if whole {
                self.find_missing(&queue, running.as_ref(), now, &mut found);
            }
        }
        self.looked |= whole;
        let paused = self.status.manager_state == "paused";
        if !self.held && (paused || self.status.is_executing()) {
            found.notices.extend(self.pause_running(paused));
        }
        found.notices.extend(self.state());
        found
    }

    fn read_history(&mut self, history: &[Item], now: f64, found: &mut Found) {
        let known = self.seen.as_ref().and_then(|seen| {
            let mut items = history.iter();
            items.rposition(|item| item.item_uid == *seen)
        });
        let new = known.map_or(history, |at| &history[at + 1..]);
        for item in new {
            let ending = item.result.clone().unwrap_or_default();
            let job = self.table.identify(item);
            let id = job.record.id.clone();
            job.announced = true;
            let state = match ending.exit_status.as_str() {
                "completed" => JobState::Succeeded,
                "failed" | "stopped" | "aborted" | "halted" => JobState::Failed,
                _ => JobState::Unknown,
            };
            // What ended before anybody looked is no news, unless it was submitted since.
            let is_news = self.looked || known.is_some() || self.queue.contains(&id);
            match is_news {
                true => self.finish(&id, &ending, state, now, found),
                false => self.finish(&id, &ending, state, now, &mut Found::default()),
            }
        }
        if let Some(last) = history.last() {
            self.seen = Some(last.item_uid.clone());
        }
    }

    fn read_queue(&mut self, queue: &[Item], running: Option<&Item>, now: f64, found: &mut Found) {
        if let Some(item) = running {
            let job = self.table.identify(item);
            let id = job.record.id.clone();
            found.notices.extend(announce(job));
            found.notices.extend(self.start(&id, now));
        }
        let mut order = Vec::new();
        for item in queue {
            if item.result.is_some() && item.mark().is_some() && !self.keeps_copies {
                found.copies.push(item.item_uid.clone());
                continue;
            }
            let job = self.table.identify(item);
            job.missing = 0;
            if job.record.state == JobState::Queued {
                found.notices.extend(announce(job));
                order.push(job.record.id.clone());
            }
        }
        let mut before = self.queue.clone();
        before.retain(|id| order.contains(id));
        let kept = order.iter().filter(|id| before.contains(id));
        if !kept.eq(before.iter()) {
            found.notices.push(Notice::Queue(QueueBody {
                jobs: order.clone(),
            }));
        }
        // What was submitted since the look began is not in it yet.
        let own = self.queue.iter().filter(|id| !order.contains(id));
        let own: Vec<String> = own.filter(|id| self.is_queued(id)).cloned().collect();
        self.queue = order.into_iter().chain(own).collect();
    }

    /// Jobs that are live here and nowhere there.
    fn find_missing(
        &mut self,
        queue: &[Item],
        running: Option<&Item>,
        now: f64,
        found: &mut Found,
    ) {
        let is_there = |uid: &str| {
            let mut there = queue.iter().chain(running);
            there.any(|item| item.item_uid == uid)
        };
        let missing = self
            .table
            .live()
            .filter(|job| !is_there(&job.uid) && job.task.is_none());
        let missing: Vec<String> = missing.map(|job| job.record.id.clone()).collect();
        for id in missing {
            let Some(job) = self.table.get_mut(&id) else {
                continue;
            };
            job.missing += 1;
            // A look that began before the submit was done does not show it.
            if job.missing < 2 {
                continue;
            }
            let (state, alone, external) = (job.record.state, job.alone, job.record.external);
            if state != JobState::Queued {
                let outcome = match self.status.worker_environment_exists {
                    true => JobState::Unknown,
                    false => JobState::Lost,
                };
                self.finish(&id, &Ending::default(), outcome, now, found);
                continue;
            }
            self.queue.retain(|waiting| *waiting != id);
            if alone && !external && self.going {
                found.due = Some(id);
                continue;
            }
            found.ordered |= external && job.record.kind == Some(JobKind::Instruction);
            job.record.state = JobState::Removed;
            job.record.ended = Some(now);
            found.notices.push(notice(job, JobChange::Removed));
        }
    }

    pub(super) fn finish(
        &mut self,
        id: &str,
        ending: &Ending,
        state: JobState,
        now: f64,
        found: &mut Found,
    ) {
        let was_stopped = self.stopping.as_deref() == Some(id);
        if self.running.as_deref() == Some(id) {
            self.running = None;
            (self.line, self.held, self.stopping) = (None, false, None);
        }
        self.queue.retain(|waiting| waiting != id);
        let Some(job) = self.table.get_mut(id) else {
            return;
        };
        let record = &mut job.record;
        // Only an end that nobody saw can be corrected by a better word.
        if !record.state.is_live() && !matches!(record.state, JobState::Unknown | JobState::Lost) {
            return;
        }
        if record.state == state {
            return;
        }
        record.state = state;
        record.started = ending.time_start.or(record.started);
        record.ended = Some(ending.time_stop.unwrap_or(now));
        record.exit = Some(ending.exit_status.clone()).filter(|exit| !exit.is_empty());
        record.error = Some(ending.msg.trim_start_matches("Plan failed: ").to_owned())
            .filter(|error| !error.is_empty());
        let how = how(ending, was_stopped);
        let ended = Ended {
            job: id.to_owned(),
            external: record.external,
            how,
        };
        found.ended.push((ended, ending.clone()));
        found.notices.push(notice(job, JobChange::Finished));
        self.last = Some(id.to_owned());
    }
}

fn how(ending: &Ending, was_stopped: bool) -> How {
    match ending.exit_status.as_str() {
        "failed" if ending.msg.contains("the script was stopped") => How::Stopped,
        "failed" if ending.msg.contains("environment was destroyed") => How::Aborted,
        "failed" if was_stopped => How::Stopped,
        "failed" => How::Failed,
        "stopped" => How::Stopped,
        "aborted" | "halted" => How::Aborted,
        _ => How::Well,
    }
}

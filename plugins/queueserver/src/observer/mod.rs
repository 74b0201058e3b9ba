//! Watches the server: looks at it again and again, hears what it prints, and sees to it that what waits is run.

mod drive;
mod health;
mod hear;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use patchbay_sdk::model::{JobKind, LinkBody};
use patchbay_sdk::{Backoff, EventKind, Fault};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::config::seconds;
use crate::environment;
use crate::jobs::Look;
use crate::server::{Server, now};
use crate::shape::{History, Queue, Status};
use crate::wire::Urgency;
use crate::wire::feed::{self, Heard, Waiting};

pub(crate) use drive::drop_all;
use health::Health;
use hear::Ear;

/// Before a job's end is told, what it has printed gets so long to arrive;
const LAST_WORDS: Duration = Duration::from_secs(10);
/// of a plan nothing more is expected after such a silence,
const SILENCE: Duration = Duration::from_millis(100);
/// of a script that has not said that this was all after such a one, if it was not heard at all, or its environment has gone.
const SCRIPT_SILENCE: Duration = Duration::from_secs(1);

/// Watches until it is told to end.
pub struct Observer {
    server: Arc<Server>,
    heard: mpsc::Receiver<Waiting>,
    ear: Ear,
    health: Health,
    backoff: Backoff,
    /// The queue and the history as they were looked at last.
    seen: Option<(String, String, Option<String>)>,
    up: Option<bool>,
    driving: drive::Driving,
}

impl Observer {
    /// Begins to listen.
    pub fn new(server: &Arc<Server>) -> Self {
        let config = &server.config;
        let (first, most) = (seconds(config.retry_first_s), seconds(config.retry_most_s));
        Self {
            server: Arc::clone(server),
            heard: feed::listen(config),
            ear: Ear::new(server),
            health: Health::new(server),
            backoff: Backoff::new(first, most),
            seen: None,
            up: None,
            driving: drive::Driving::default(),
        }
    }

    /// Watches.
    pub async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut next = Instant::now();
        let listens = !self.server.config.info.is_empty();
        loop {
            tokio::select! {
                biased;
                () = told_to_stop(&mut stopped) => return,
                heard = self.heard.recv(), if listens => match heard {
                    Some(waiting) => if self.hear(waiting.heard).await { next = Instant::now() },
                    None => return,
                },
                () = self.server.hurry.notified() => next = self.look_and_wait().await,
                () = sleep_until(next) => next = self.look_and_wait().await,
            }
        }
    }

    /// Whether it is time to look.
    async fn hear(&mut self, heard: Heard) -> bool {
        if let Heard::Console(_, text) = &heard
            && self.ear.needs_look(text)
        {
            // So that what a plan prints first is told as its own.
            let _ = self.look().await;
        }
        self.take(heard)
    }

    /// Whether a look is worth while.
    fn take(&mut self, heard: Heard) -> bool {
        match heard {
            Heard::Console(time, text) => {
                if !text.contains("bluesky_queueserver.manager.manager]") {
                    self.health.heard();
                }
                self.ear.hear(time, &text)
            }
            Heard::Info => true,
            Heard::Begun => {
                self.health.console(None);
                // Whether the shim is heard is found out when it is loaded, or found there.
                self.server.opening.forget();
                false
            }
            Heard::Broken(why) => {
                self.server.hears.send_replace(false);
                self.health.console(Some(why));
                false
            }
        }
    }

    /// When to look again.
    async fn look_and_wait(&mut self) -> Instant {
        let wait = match self.look().await {
            Ok(()) => {
                self.backoff.reset();
                seconds(self.server.config.look_s)
            }
            Err(fault) => {
                self.down(&fault);
                self.backoff.wait()
            }
        };
        self.health.tell();
        Instant::now() + wait
    }

    fn down(&mut self, fault: &Fault) {
        self.seen = None;
        self.health.link(Some(fault.message.clone()));
        if self.up.replace(false) != Some(false) {
            tracing::warn!("{fault}");
            let cause = &fault.message;
            self.server
                .emit(EventKind::Link, None, &LinkBody::down(cause));
        }
        let notices = self.server.jobs().link_down();
        self.server.tell(notices);
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let server = Arc::clone(&self.server);
        let status: Status = environment::look(&server).await?;
        if !status.worker_environment_exists {
            server.opening.forget();
        }
        self.health.link(None);
        if self.up.replace(true) != Some(true) {
            let version = status.version();
            tracing::info!(version, "the RE Manager answers");
            server.emit(EventKind::Link, None, &LinkBody::up(version));
        }
        let mut look = Look {
            status: status.clone(),
            ..Look::default()
        };
        let seen = (
            status.plan_queue_uid.clone(),
            status.plan_history_uid.clone(),
            status.running_item_uid.clone(),
        );
        let doubt = server.doubt.swap(false, Ordering::AcqRel) || self.driving.is_puzzled();
        if self.seen.as_ref() != Some(&seen) || doubt || server.jobs().is_doubtful() {
            match self.whole(&mut look).await {
                Ok(()) => {
                    self.seen = Some(seen);
                    self.health.redis(None);
                }
                // The state can be seen all the same.
                Err(fault) => {
                    self.seen = None;
                    self.health.redis(Some(fault.message));
                }
            }
        }
        if let Some((job, kind)) = self.ending(&look) {
            self.last_words(&job, kind, status.worker_environment_exists)
                .await;
        }
        let mut found = server.jobs().look(look, now());
        let alone = std::mem::take(&mut *server.ended_alone());
        for (id, ending, state) in alone {
            let more = server.jobs().end(&id, &ending, state, now());
            found.notices.extend(more.notices);
            found.ended.extend(more.ended);
        }
        self.ear.ended(&found.ended);
        server.tell(found.notices.clone());
        self.health.look(&status);
        server.looks.send_modify(|looks| *looks += 1);
        self.driving.drive(&server, &status, found).await;
        Ok(())
    }

    async fn whole(&self, look: &mut Look) -> Result<(), Fault> {
        let control = &self.server.control;
        let queue: Queue = control.ask("queue_get", json!({}), Urgency::Urgent).await?;
        let history: History = control
            .ask("history_get", json!({}), Urgency::Urgent)
            .await?;
        let running = Some(queue.running_item).filter(|item| !item.item_uid.is_empty());
        look.queue = Some((queue.items, running));
        look.history = Some(history.items);
        Ok(())
    }

    /// The job that ends, by this look or by what is known of scripts that ran alone.
    fn ending(&self, look: &Look) -> Option<(String, Option<JobKind>)> {
        let alone = self
            .server
            .ended_alone()
            .first()
            .map(|(job, ..)| job.clone());
        if let Some(job) = alone {
            return Some((job, Some(JobKind::Script)));
        }
        let jobs = self.server.jobs();
        let ends = jobs.running().filter(|_| jobs.ends(look));
        ends.map(|job| (job.record.id.clone(), job.record.kind))
    }

    /// Hears what the job that ends has printed: a script says when it has done so, a plan falls silent.
    async fn last_words(&mut self, job: &str, kind: Option<JobKind>, lives: bool) {
        let end = Instant::now() + LAST_WORDS;
        while *self.server.hears.borrow() && !self.ear.has_heard_out(job) {
            let silence = match kind {
                Some(JobKind::Script) if lives && self.ear.hears(job) => LAST_WORDS,
                Some(JobKind::Script) => SCRIPT_SILENCE,
                _ => SILENCE,
            };
            let left = end.saturating_duration_since(Instant::now()).min(silence);
            let Ok(Some(waiting)) = timeout(left, self.heard.recv()).await else {
                break;
            };
            if self.take(waiting.heard) {
                self.server.hurry.notify_one();
            }
        }
        self.ear.give_up(job);
    }
}

async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // An error means that nobody is there any more to say it.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

//! Reads the daemon's events and tells the host.

mod look;
mod sync;
mod tell;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use patchbay_sdk::{BackendContext, EventKind, Fault, FaultKind, Health};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::config::Settings;
use crate::event;
use crate::frame::EventFrame;
use crate::jobs::Jobs;
use crate::lane::{Account, Feed, Greeting, Lane, News, decode, greet};
use crate::model::LogLine;
use crate::shape::{self, Message};
use sync::Pending;
use tell::Teller;

/// Most events read from the socket and not yet told; each may be as long as a frame.
const BACKLOG: usize = 64;

/// The jobs, shared with the sessions.
pub type SharedJobs = Arc<Mutex<Jobs>>;

/// Locks the jobs, never across an await.
pub fn lock(jobs: &SharedJobs) -> std::sync::MutexGuard<'_, Jobs> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever may read the events: set by the configuration or by the first login, replaced when the daemon refuses it.
pub type Candidate = watch::Sender<Option<Account>>;

/// Offers an account for reading events; taken if there is none yet, or only one that the daemon refuses by now.
pub fn offer(candidate: &Candidate, account: &Account, refused: bool) {
    candidate.send_if_modified(|current| {
        let wanted = current.is_none() || refused;
        if wanted {
            *current = Some(account.clone());
        }
        wanted
    });
}

/// The one reader of events of an instance.
pub struct Observer {
    settings: Arc<Settings>,
    jobs: SharedJobs,
    teller: Teller,
    refused: watch::Sender<bool>,
    /// The link whose events count, and the daemon process behind it.
    epoch: u64,
    identity: Option<String>,
    pending: Option<Pending>,
    /// Why the link is down, as it was told.
    down: Option<String>,
}

/// When nothing is due.
const FAR: Duration = Duration::from_secs(3600);

impl Observer {
    /// An observer that tells `cx`, and by `refused` whether the daemon refuses its login.
    #[must_use]
    pub fn new(
        settings: Arc<Settings>,
        jobs: SharedJobs,
        cx: BackendContext,
        refused: watch::Sender<bool>,
    ) -> Self {
        Self {
            settings,
            jobs,
            teller: Teller::new(cx),
            refused,
            epoch: 0,
            identity: None,
            pending: None,
            down: None,
        }
    }

    /// Reads events with whatever account is the candidate, until it is dropped or told to stop.
    pub async fn run(
        mut self,
        mut candidate: watch::Receiver<Option<Account>>,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let account = tokio::select! {
                account = self.await_account(&mut candidate) => account,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let Some(account) = account else { return };
            let (feed, mut news) = mpsc::channel(BACKLOG);
            let lane = Lane::start(
                "observer",
                Arc::clone(&self.settings),
                account,
                None,
                Some(Feed(feed)),
            );
            tokio::select! {
                () = self.follow(&lane, &mut news) => {}
                _ = candidate.changed() => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            // Nobody listens any more; the lane must not wait for us.
            drop(news);
            lane.close().await;
            if *stop.borrow() {
                return;
            }
        }
    }

    /// Until somebody has logged in, sees now and then whether there is a daemon at all.
    async fn await_account(
        &self,
        candidate: &mut watch::Receiver<Option<Account>>,
    ) -> Option<Account> {
        loop {
            if let Some(account) = candidate.borrow_and_update().clone() {
                return Some(account);
            }
            let pause = match greet(&self.settings).await {
                Ok((banner, _)) => {
                    tracing::debug!(
                        version = banner.daemon_version,
                        "a daemon is there; events begin with the first login"
                    );
                    self.teller.health(Health::Up);
                    self.settings.probe * 4
                }
                Err(fault) => {
                    self.teller.health(Health::Down(fault.message));
                    self.settings.retry_most
                }
            };
            if let Ok(changed) = timeout(pause, candidate.changed()).await {
                changed.ok()?;
            }
        }
    }

    async fn follow(&mut self, lane: &Lane, news: &mut mpsc::Receiver<(u64, News)>) {
        loop {
            let due = self.due();
            let item = tokio::select! {
                biased;
                item = news.recv() => item,
                () = sleep_until(due) => {
                    self.go_on(lane).await;
                    self.teller.release_due();
                    continue;
                }
            };
            let Some((epoch, item)) = item else { return };
            self.take(lane, epoch, item).await;
            self.go_on(lane).await;
            self.teller.release_due();
        }
    }

    /// When something is to be done even if there is no news.
    fn due(&self) -> Instant {
        let pending = self.pending.as_ref().map(|pending| pending.due);
        let due = pending.into_iter().chain(self.teller.due()).min();
        due.unwrap_or_else(|| Instant::now() + FAR)
    }

    async fn take(&mut self, lane: &Lane, epoch: u64, item: News) {
        match item {
            News::Up(greeting) if epoch > self.epoch => {
                self.epoch = epoch;
                self.up(lane, &greeting).await;
            }
            News::Down(cause) if epoch >= self.epoch => {
                self.epoch = epoch;
                self.down(&cause);
            }
            News::Event(frame) if epoch == self.epoch => self.event(lane, frame).await,
            _ => tracing::debug!("news of an older link"),
        }
    }

    // ---- the link

    async fn up(&mut self, lane: &Lane, greeting: &Greeting) {
        self.refused.send_replace(false);
        self.down = None;
        self.teller.health(Health::Up);
        let version = &greeting.banner.daemon_version;
        tracing::info!(
            version,
            address = self.settings.address,
            "reading NICOS's events"
        );
        self.resync(lane).await;
        self.teller.emit(
            EventKind::Link,
            None,
            &serde_json::json!({"link": "up", "version": version}),
        );
    }

    fn down(&mut self, cause: &Fault) {
        self.refused
            .send_replace(cause.kind == FaultKind::Unauthorized);
        if self.down.as_ref() == Some(&cause.message) {
            return;
        }
        // The next link begins with a look of its own.
        self.pending = None;
        self.down = Some(cause.message.clone());
        self.teller.health(Health::Down(cause.message.clone()));
        self.teller.emit(
            EventKind::Link,
            None,
            &serde_json::json!({"link": "down", "cause": cause.message}),
        );
        let notices = lock(&self.jobs).link_down();
        self.teller.tell(notices);
    }

    // ---- events

    async fn event(&mut self, lane: &Lane, frame: EventFrame) {
        match frame {
            EventFrame::Event { code, payload, .. } => {
                if let Err(cause) = self.read(code, payload).await {
                    tracing::warn!(event = event::name(code), %cause, "an event could not be read");
                }
            }
            EventFrame::Oversized { code } => {
                tracing::warn!(
                    event = event::name(code),
                    "an event exceeded `frame_limit_bytes`; looking at the state instead"
                );
                self.resync(lane).await;
            }
        }
    }

    async fn read(&mut self, code: u16, payload: Bytes) -> Result<(), Fault> {
        let Some(name) = event::name(code) else {
            return Ok(());
        };
        let (json, _) = decode(payload, &self.settings.limits).await?;
        let notices = match name {
            "message" => return self.log(shape::read(name, &json)?),
            "request" => lock(&self.jobs).queued(&shape::read(name, &json)?),
            "processing" => lock(&self.jobs).started(&shape::read(name, &json)?, now()),
            "blocked" => lock(&self.jobs).removed(&shape::read::<Vec<String>>(name, &json)?, now()),
            "updated" => lock(&self.jobs).edited(&shape::read(name, &json)?),
            "done" => lock(&self.jobs).done(&shape::read(name, &json)?, now()),
            "status" => lock(&self.jobs).status(shape::read(name, &json)?),
            _ => return Ok(()),
        };
        self.teller.tell(notices);
        Ok(())
    }

    fn log(&mut self, message: Message) -> Result<(), Fault> {
        let mut line = LogLine::from(message);
        let job = line.job.take();
        self.teller.emit(EventKind::Log, job, &line);
        Ok(())
    }
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

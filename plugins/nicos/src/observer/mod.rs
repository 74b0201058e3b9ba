//! Reads the daemon's events and tells the host.

mod events;
mod look;
mod private;
mod silence;
mod sync;
mod tell;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patchbay_sdk::model::LinkBody;
use patchbay_sdk::{BackendContext, EventKind, Fault, FaultKind, Health};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

use crate::config::Settings;
use crate::known::{Known, Reading};
use crate::lane::{
    Account, Daemon, Feed, Greeting, Held, Lane, News, NewsReceiver, PrivateReceiver, Sort, forward,
};
use crate::protocol::{Protocol, TESTED};
use events::Estimate;
use private::Waiting;
use silence::Watch;
use sync::Pending;
use tell::Teller;

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
    daemon: Arc<Daemon>,
    known: Arc<Known>,
    teller: Teller,
    private: PrivateReceiver,
    waiting: Waiting,
    refused: watch::Sender<bool>,
    /// The link whose events count, and the daemon process behind it.
    epoch: u64,
    identity: Option<String>,
    pending: Option<Pending>,
    watch: Watch,
    /// Why the link is down, as it was told.
    down: Option<String>,
    /// The order of the queue and the running job's estimate, as they were told.
    order: Vec<String>,
    estimate: Option<(Option<String>, Estimate)>,
    /// Something runs of which it is not known what, and that was looked for.
    puzzled: bool,
    /// The untested protocol that was warned of.
    warned: Option<Protocol>,
}

/// When nothing is due.
const FAR: Duration = Duration::from_secs(3600);

impl Observer {
    /// An observer that tells `cx`, also what comes by `private`, and by `refused` whether the daemon refuses its login.
    #[must_use]
    pub fn new(
        daemon: &Arc<Daemon>,
        known: Arc<Known>,
        cx: BackendContext,
        private: PrivateReceiver,
        refused: watch::Sender<bool>,
    ) -> Self {
        Self {
            settings: Arc::clone(daemon.settings()),
            daemon: Arc::clone(daemon),
            known,
            teller: Teller::new(cx, Arc::clone(daemon.board())),
            private,
            waiting: Waiting::new(),
            refused,
            epoch: 0,
            identity: None,
            pending: None,
            watch: Watch::new(),
            down: None,
            order: Vec::new(),
            estimate: None,
            puzzled: false,
            warned: None,
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
            let (feed, mut news) = forward(self.settings.events_waiting);
            let lane = Lane::start(
                Sort::Observer,
                &self.daemon,
                account,
                None,
                Some(Feed::All(feed)),
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
            let pause = match self.daemon.greet().await {
                Ok((banner, _)) => {
                    tracing::debug!(
                        version = banner.daemon_version,
                        "a daemon is there; events begin with the first login"
                    );
                    self.teller.health(Health::Up);
                    self.settings.probe * 4
                }
                // It is we who are busy, and the daemon who has let others in.
                Err(fault) if fault.kind == FaultKind::Busy => self.settings.retry_most,
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

    async fn follow(&mut self, lane: &Lane, news: &mut NewsReceiver) {
        loop {
            let due = self.due();
            let known = Arc::clone(&self.known);
            let item = tokio::select! {
                biased;
                // Before the news: of a job that has ended already it is harder to say whose it was.
                Some(private) = self.private.recv() => {
                    self.private(private).await;
                    yield_now().await;
                    continue;
                }
                // Before the news, which may never end.
                () = known.wanted() => {
                    self.resync(lane).await;
                    continue;
                }
                item = news.recv() => item,
                () = sleep_until(due) => {
                    self.do_what_is_due(lane).await;
                    continue;
                }
            };
            let Some((epoch, item, room)) = item else {
                return;
            };
            self.take(lane, epoch, item, room).await;
            self.do_what_is_due(lane).await;
            // Events may come without end, and clients are served by the same thread.
            yield_now().await;
        }
    }

    async fn do_what_is_due(&mut self, lane: &Lane) {
        self.go_on(lane).await;
        self.doubt();
        self.watch(lane).await;
        self.release_private().await;
        self.teller.release_due();
    }

    /// When something is to be done even if there is no news.
    fn due(&self) -> Instant {
        let pending = self.pending.as_ref().map(|pending| pending.due);
        let due = pending
            .into_iter()
            .chain(self.teller.due())
            .chain(self.private_due())
            .chain(self.watch.due())
            .min();
        due.unwrap_or_else(|| Instant::now() + FAR)
    }

    async fn take(&mut self, lane: &Lane, epoch: u64, item: News, room: Held) {
        match item {
            News::Up(greeting) if epoch > self.epoch => {
                self.epoch = epoch;
                self.up(lane, &greeting).await;
            }
            News::Down(cause) if epoch >= self.epoch => {
                self.epoch = epoch;
                self.down(&cause);
            }
            News::Event(frame) if epoch == self.epoch => {
                self.watch.hear();
                self.event(lane, frame, room).await;
                self.puzzle(lane).await;
            }
            _ => tracing::debug!("news of an older link"),
        }
    }

    /// The job that runs is always to be known; who comes in its middle has to look for it.
    async fn puzzle(&mut self, lane: &Lane) {
        let puzzled = self.known.jobs().is_puzzling();
        if puzzled && !std::mem::replace(&mut self.puzzled, puzzled) {
            self.resync(lane).await;
        }
        self.puzzled = puzzled;
    }

    // ---- the link

    async fn up(&mut self, lane: &Lane, greeting: &Greeting) {
        self.refused.send_replace(false);
        self.known.set_reading(Reading::Yes);
        self.down = None;
        self.watch_anew();
        self.teller.health(Health::Up);
        let banner = &greeting.banner;
        self.known
            .jobs()
            .set_says_done(banner.protocol().has_done());
        let version = &banner.daemon_version;
        tracing::info!(
            version,
            address = self.settings.address,
            "reading NICOS's events"
        );
        self.warn_if_untested(greeting.banner.protocol());
        self.resync(lane).await;
        self.teller
            .emit(EventKind::Link, None, &LinkBody::up(version));
    }

    fn warn_if_untested(&mut self, protocol: Protocol) {
        if protocol.is_untested() && self.warned.replace(protocol) != Some(protocol) {
            tracing::warn!(
                protocol = protocol.0,
                tested = *TESTED.end(),
                "this NICOS speaks a newer protocol than was tested; it is tried as the newest that was"
            );
        }
    }

    fn down(&mut self, cause: &Fault) {
        self.known.set_reading(Reading::No);
        self.refused
            .send_replace(cause.kind == FaultKind::Unauthorized);
        if self.down.as_ref() == Some(&cause.message) {
            return;
        }
        // The next link begins with a look of its own.
        self.pending = None;
        self.watch.rest();
        self.down = Some(cause.message.clone());
        self.teller.health(Health::Down(cause.message.clone()));
        self.teller
            .emit(EventKind::Link, None, &LinkBody::down(&*cause.message));
        let notices = self.known.jobs().link_down();
        self.teller.tell(notices);
    }
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

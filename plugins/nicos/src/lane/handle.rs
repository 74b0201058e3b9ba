//! The handle of a lane.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use patchbay_sdk::{Backoff, Fault, FaultKind};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::actor::Actor;
use super::daemon::Daemon;
use super::fault::{closing, no_reply, not_sent};
use super::feed::Feed;
use super::link::{Account, Greeting, Link};
use super::sort::Sort;
use crate::health::Mark;
use crate::verb::Verb;

/// What the daemon answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done, with nothing to say.
    Done,
    /// Done, with a pickled value.
    Value(Bytes),
    /// Refused, in NICOS's words.
    Refused(String),
}

/// A way to the daemon for one command at a time. It reconnects by itself; dropping it, or [`Lane::close`], ends it.
#[derive(Debug)]
pub struct Lane {
    requests: mpsc::Sender<Request>,
    closing: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
    seen: Arc<Seen>,
    /// The number of the last link that is to be given up.
    given_up: watch::Sender<u64>,
    sort: Sort,
    daemon: Arc<Daemon>,
}

/// What a lane has seen of the daemon.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The daemon has refused the login at the last try.
    pub(super) refused: AtomicBool,
    greeting: std::sync::Mutex<Option<Arc<Greeting>>>,
}

/// A command and where its answer goes.
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) args: Bytes,
    /// Until when somebody waits for the answer.
    pub(super) deadline: Instant,
    /// Whose it is.
    pub(super) session: Option<u64>,
    /// Set before it is sent, and not before.
    sent: Arc<AtomicBool>,
    pub(super) reply: oneshot::Sender<Result<Answer, Fault>>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("verb", &self.verb.name)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// To be called before it is sent; `false` if it has been taken back.
    ///
    /// First the mark and then the look: who gives up closes first and looks at the mark then, so that one of both
    /// always sees the other.
    pub(super) fn begin(&self) -> bool {
        self.sent.store(true, Ordering::SeqCst);
        !self.reply.is_closed()
    }
}

impl Seen {
    pub(super) fn greeted(&self, greeting: &Greeting) {
        self.refused.store(false, Ordering::Relaxed);
        let mut last = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Arc::new(greeting.clone()));
    }
}

impl Lane {
    /// Starts a lane, on a link that is already there or on one that it opens itself.
    #[must_use]
    pub fn start(
        sort: Sort,
        daemon: &Arc<Daemon>,
        account: Account,
        link: Option<Link>,
        feed: Option<Feed>,
    ) -> Self {
        let settings = Arc::clone(daemon.settings());
        let (requests, queue) = mpsc::channel(settings.queue_most);
        let closing = daemon.closing.child_token();
        let seen = Arc::new(Seen::default());
        let (given_up, to_give_up) = watch::channel(0);
        if let Some(link) = &link {
            seen.greeted(link.greeting());
        }
        let mark = match sort {
            // Whoever starts it tells what it hears.
            Sort::Observer => Mark::silent(),
            _ => daemon.board().mark(sort.name(), &account.user),
        };
        let actor = Actor {
            mark,
            sort,
            daemon: Arc::clone(daemon),
            account,
            feed,
            queue,
            closing: closing.clone(),
            backoff: Backoff::new(settings.retry_first, settings.retry_most),
            seen: Arc::clone(&seen),
            settings,
            given_up: to_give_up,
            refreshed: Instant::now(),
            in_step: true,
        };
        let task = Mutex::new(Some(daemon.tasks.spawn(actor.run(link))));
        Self {
            requests,
            closing,
            task,
            seen,
            given_up,
            sort,
            daemon: Arc::clone(daemon),
        }
    }

    /// Sends a command and waits for the answer, until `deadline`. If less than half a second is left when its turn
    /// comes, it is not sent.
    ///
    /// Dropping this future takes the command back if it has not been sent; else its answer is waited for and thrown
    /// away, so that the next command gets its own.
    ///
    /// # Errors
    /// `Busy` if too many commands wait, `Unavailable` if the link is down or the command could not be sent in time,
    /// `Unauthorized` if the daemon refuses the login by now, `Timeout` or `UnknownOutcome` if the command was sent
    /// and its reply did not come, `ShuttingDown` if the lane is closed.
    pub async fn call(
        &self,
        verb: Verb,
        args: Vec<u8>,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        self.call_for(None, verb, args, deadline).await
    }

    /// As [`Self::call`], for a session: what the command causes that is for one client only is that session's.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_for(
        &self,
        session: Option<u64>,
        verb: Verb,
        args: Vec<u8>,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let (reply, mut answer) = oneshot::channel();
        let sent = Arc::new(AtomicBool::new(false));
        let request = Request {
            verb,
            args: Bytes::from(args),
            deadline,
            session,
            sent: Arc::clone(&sent),
            reply,
        };
        self.requests
            .try_send(request)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => self.busy(),
                mpsc::error::TrySendError::Closed(_) => closing(),
            })?;
        if let Ok(answer) = timeout_at(deadline, &mut answer).await {
            return answer.unwrap_or_else(|_| Err(self.cut(verb, &sent)));
        }
        answer.close();
        match answer.try_recv() {
            Ok(answer) => answer,
            Err(_) if sent.load(Ordering::SeqCst) => {
                Err(no_reply(verb, self.address(), "no reply in time"))
            }
            Err(_) => Err(not_sent()),
        }
    }

    /// The fault of a command that the lane's end cut off.
    fn cut(&self, verb: Verb, sent: &AtomicBool) -> Fault {
        match verb.changes && sent.load(Ordering::SeqCst) {
            true => no_reply(verb, self.address(), "the connection is being closed"),
            false => closing(),
        }
    }

    fn address(&self) -> &str {
        &self.daemon.settings().address
    }

    /// Ends the lane and waits until its connection is properly closed, which takes up to three seconds. What it is
    /// doing is broken off, and what waits for it is refused.
    pub async fn close(&self) {
        self.closing.cancel();
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }

    /// Gives up the link of this number, if it is still the one that is there, because its events do not come.
    pub fn give_up(&self, epoch: u64) {
        self.given_up.send_replace(epoch);
    }

    /// Whether the daemon has refused this lane's login since it was last up: its password has been changed.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.seen.refused.load(Ordering::Relaxed)
    }

    /// What the daemon said when the lane was last connected.
    #[must_use]
    pub fn greeting(&self) -> Option<Arc<Greeting>> {
        self.seen
            .greeting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn busy(&self) -> Fault {
        let message = format!(
            "too many commands wait for the daemon ({} connection); try again shortly",
            self.sort.name()
        );
        Fault::new(FaultKind::Busy, message)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

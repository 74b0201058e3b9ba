//! The actor that owns a link.
//!
//! ```text
//!             ┌── failed: every call is refused with the cause ──┐
//! connecting ─┤                                                  ├─► connecting …
//!             └── up: one command at a time ── lost ── backoff ──┘
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use patchbay_sdk::{Backoff, Fault, FaultKind};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::daemon::Daemon;
use super::decode::refusal_text;
use super::fault::{as_told, no_reply, not_sent};
use super::feed::{Events, Feed, News};
use super::handle::{Answer, Request, Seen};
use super::link::{Account, Link};
use super::sort::Sort;
use crate::config::Settings;
use crate::frame::ReplyFrame;
use crate::health::Mark;
use crate::verb::Verb;

/// A link that held this long was a good one: after it the waits between tries start small again.
const GOOD: Duration = Duration::from_secs(5);

/// Why a link is given up whose events do not come.
const SILENT: &str = "the daemon's state has changed, and no event came by the event connection";

/// A command with less time left is not sent: its outcome would most likely never be known.
const LEAST: Duration = Duration::from_millis(500);

/// Numbers links over all lanes, so that news of an old one can be told from a new one's.
static EPOCH: AtomicU64 = AtomicU64::new(1);

/// Owns a lane's link and what waits for it.
pub(super) struct Actor {
    pub(super) mark: Mark,
    pub(super) sort: Sort,
    pub(super) daemon: Arc<Daemon>,
    pub(super) settings: Arc<Settings>,
    pub(super) account: Account,
    pub(super) feed: Option<Feed>,
    pub(super) queue: mpsc::Receiver<Request>,
    pub(super) closing: CancellationToken,
    pub(super) backoff: Backoff,
    pub(super) seen: Arc<Seen>,
    /// The number of the last link that is to be given up.
    pub(super) given_up: watch::Receiver<u64>,
    /// When the daemon was last told to keep the login's credentials fresh, or they were new.
    pub(super) refreshed: Instant,
    /// Whether every command that was sent has been answered.
    pub(super) in_step: bool,
}

enum End {
    Closed,
    Lost(Fault),
}

impl Actor {
    pub(super) async fn run(mut self, mut first: Option<Link>) {
        let mut known = None;
        loop {
            let link = match first.take() {
                Some(link) => link,
                None => match self.connect(known.take()).await {
                    Some(link) => link,
                    None => return,
                },
            };
            let since = Instant::now();
            match self.serve(link).await {
                End::Closed => return,
                End::Lost(cause) => {
                    self.mark.trouble(&cause);
                    tracing::warn!(lane = self.sort.name(), user = self.account.user, %cause, "link lost");
                    if since.elapsed() >= GOOD {
                        self.backoff.reset();
                    } else {
                        known = Some(cause);
                    }
                }
            }
        }
    }

    /// Tries until a link is there; `None` when the lane is closed. Calls wait for the first try after a good link;
    /// once there is a cause to name, they fail with it at once.
    async fn connect(&mut self, mut known: Option<Fault>) -> Option<Link> {
        loop {
            if let Some(cause) = &known {
                let wait = sleep(self.wait_after(cause));
                self.refuse_while(cause, wait).await?;
            }
            let (daemon, account) = (Arc::clone(&self.daemon), self.account.clone());
            let (reads_events, haste) = (self.reads_events(), self.sort.haste());
            let opening = async move { daemon.open(&account, reads_events, haste).await };
            let opened = match &known {
                Some(cause) => self.refuse_while(cause, opening).await?,
                None => self.closing.run_until_cancelled(opening).await?,
            };
            match opened {
                Ok(link) => {
                    self.seen.greeted(link.greeting());
                    return Some(link);
                }
                Err(fault) => {
                    self.mark.trouble(&fault);
                    tracing::debug!(lane = self.sort.name(), cause = %fault, "no link");
                    self.seen
                        .refused
                        .store(fault.kind == FaultKind::Unauthorized, Ordering::Relaxed);
                    self.tell_down(&fault);
                    known = Some(as_told(&fault));
                }
            }
        }
    }

    /// Waits for `event` and meanwhile refuses every call; `None` when the lane is closed.
    async fn refuse_while<T>(
        &mut self,
        cause: &Fault,
        event: impl Future<Output = T>,
    ) -> Option<T> {
        tokio::pin!(event);
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return None,
                done = &mut event => return Some(done),
                Some(request) = self.queue.recv() => {
                    let _ = request.reply.send(Err(cause.clone()));
                }
            }
        }
    }

    fn reads_events(&self) -> bool {
        self.feed.as_ref().is_some_and(Feed::reads_events)
    }

    fn wait_after(&mut self, cause: &Fault) -> Duration {
        match cause.kind {
            // Every try costs the daemon a key and its log a line.
            FaultKind::Unauthorized => self.settings.retry_refused,
            _ => self.backoff.wait(),
        }
    }

    /// Runs commands until the link is lost or the lane is closed.
    async fn serve(&mut self, mut link: Link) -> End {
        let stream = match link.open_events(&self.settings).await {
            Ok(stream) => stream,
            Err(fault) => {
                self.daemon.tasks.spawn(link.abandon());
                return End::Lost(fault);
            }
        };
        let epoch = EPOCH.fetch_add(1, Ordering::Relaxed);
        let (feed, greeting) = (self.feed.clone(), link.greeting().clone());
        let limit = self.settings.frames();
        let tasks = self.daemon.tasks.clone();
        let mut events = Events::follow(stream, limit, feed, epoch, greeting, tasks);
        let closing = self.closing.clone();
        let end = tokio::select! {
            biased;
            () = closing.cancelled() => End::Closed,
            end = self.commands(&mut link, &mut events, epoch) => end,
        };
        match &end {
            End::Closed => {
                self.turn_away();
                self.part(link, events).await;
            }
            End::Lost(cause) => {
                self.in_step = false;
                self.tell_down_of(epoch, cause).await;
                self.daemon.tasks.spawn(self.part(link, events));
            }
        }
        end
    }

    /// Ends a link. The event connection goes last: closed first, it would take the command connection with it.
    fn part(&self, link: Link, events: Events) -> impl Future<Output = ()> + use<> {
        let in_step = self.in_step;
        async move {
            events.part();
            match in_step {
                true => link.close().await,
                false => link.abandon().await,
            }
            events.read_out().await;
        }
    }

    /// Nobody need wait for the farewell.
    fn turn_away(&mut self) {
        self.queue.close();
        while self.queue.try_recv().is_ok() {}
    }

    /// Until the link is lost; to be dropped when the lane is closed.
    async fn commands(&mut self, link: &mut Link, events: &mut Events, epoch: u64) -> End {
        self.in_step = true;
        self.refreshed = Instant::now();
        loop {
            let until_probe = self.until_probe(link);
            let lost = tokio::select! {
                // A loss that can be seen already goes first: a command that is not sent has no unknown outcome.
                biased;
                cause = events.ended() => Err(cause),
                cause = link.lost() => Err(cause),
                true = is_given_up(&mut self.given_up, epoch) => Err(SILENT.to_owned()),
                Some(request) = self.queue.recv() => self.run_one(link, request).await,
                () = sleep(until_probe) => self.probe(link).await,
            };
            if let Err(cause) = lost {
                return self.lost(&cause);
            }
        }
    }

    /// The lane waits for a reply longer than who asked, if need be: the next one would be taken for it.
    async fn run_one(&mut self, link: &mut Link, request: Request) -> Result<(), String> {
        if request.deadline < Instant::now() + LEAST {
            let _ = request.reply.send(Err(not_sent()));
            return Ok(());
        }
        if !request.begin() {
            return Ok(());
        }
        if let Some(Feed::Private(feed)) = &self.feed {
            feed.called(request.session);
        }
        let (verb, within) = (request.verb, self.sort.reply_deadline(&self.settings));
        let reply = self.exchange(link, verb, request.args, within).await;
        let (answer, lost) = match reply {
            Ok(reply) => (self.answer(reply), Ok(())),
            Err(cause) => (
                Err(no_reply(verb, &self.settings.address, &cause)),
                Err(cause),
            ),
        };
        let _ = request.reply.send(answer);
        lost
    }

    /// Sends a command and waits for its reply; without one the link is of no further use.
    pub(super) async fn exchange(
        &mut self,
        link: &mut Link,
        verb: Verb,
        args: Bytes,
        within: Duration,
    ) -> Result<ReplyFrame, String> {
        self.in_step = false;
        let reply = timeout(within, link.call(verb, args)).await;
        let reply = reply.map_err(|_| format!("no reply to `{}` in time", verb.name))?;
        let reply = reply.map_err(|error| error.to_string())?;
        self.in_step = true;
        self.mark.answered();
        Ok(reply)
    }

    fn answer(&self, reply: ReplyFrame) -> Result<Answer, Fault> {
        match reply {
            ReplyFrame::Done => Ok(Answer::Done),
            ReplyFrame::Value(payload) => Ok(Answer::Value(payload)),
            ReplyFrame::Refused(payload) => Ok(Answer::Refused(refusal_text(&payload))),
            ReplyFrame::Oversized(length) => {
                let limit = self.settings.frame_limit;
                let message = format!(
                    "the daemon's reply of {length} bytes exceeds `frame_limit_bytes` ({limit}); ask for less"
                );
                Err(Fault::new(FaultKind::TooLarge, message))
            }
        }
    }

    fn lost(&self, cause: &str) -> End {
        let message = format!(
            "the connection to NICOS at {} was lost: {cause}",
            self.settings.address
        );
        End::Lost(Fault::new(FaultKind::Unavailable, message))
    }

    /// A failed try is news too, but not worth waiting for a slow listener.
    fn tell_down(&self, cause: &Fault) {
        if let Some(Feed::All(to)) = &self.feed {
            let epoch = EPOCH.fetch_add(1, Ordering::Relaxed);
            to.try_send(epoch, News::Down(cause.clone()));
        }
    }

    async fn tell_down_of(&self, epoch: u64, cause: &Fault) {
        if let Some(Feed::All(to)) = &self.feed {
            let news = to.send(epoch, News::Down(cause.clone()));
            // The listener may be waiting for this very lane; the next link's number tells it the same.
            let _ = tokio::time::timeout(Duration::from_secs(1), news).await;
        }
    }
}

/// Waits until the link of this number is to be given up; false if nobody can say so any more.
async fn is_given_up(given_up: &mut watch::Receiver<u64>, epoch: u64) -> bool {
    given_up.wait_for(|last| *last >= epoch).await.is_ok()
}

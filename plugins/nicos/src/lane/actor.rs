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
use patchbay_sdk::{Fault, FaultKind};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::backoff::Backoff;
use super::decode::refusal_text;
use super::feed::{Feed, News, follow};
use super::handle::{Answer, Item, Request, Seen};
use super::link::{Account, Link};
use crate::config::Settings;
use crate::frame::ReplyFrame;
use crate::pickle::encode;
use crate::verb::{self, Verb};

/// A link that held this long was a good one: after it the waits between tries start small again.
const GOOD: Duration = Duration::from_secs(5);

/// How long a refused login is not tried again: every try costs the daemon a key and its log a line.
const REFUSED: Duration = Duration::from_secs(60);

/// A command with less time left is not sent: its outcome would most likely never be known.
const LEAST: Duration = Duration::from_millis(500);

/// How long an idle daemon may take for a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Numbers links over all lanes, so that news of an old one can be told from a new one's.
static EPOCH: AtomicU64 = AtomicU64::new(1);

/// Owns a lane's link and what waits for it.
pub(super) struct Actor {
    name: &'static str,
    settings: Arc<Settings>,
    account: Account,
    /// How long a reply may take from the moment when its command was sent.
    reply_deadline: Duration,
    feed: Option<Feed>,
    queue: mpsc::Receiver<Item>,
    backoff: Backoff,
    seen: Arc<Seen>,
}

enum End {
    Closed,
    Lost(Fault),
}

impl Actor {
    pub(super) fn new(
        name: &'static str,
        settings: Arc<Settings>,
        account: Account,
        reply_deadline: Duration,
        feed: Option<Feed>,
        queue: mpsc::Receiver<Item>,
        seen: Arc<Seen>,
    ) -> Self {
        let backoff = Backoff::new(settings.retry_first, settings.retry_most);
        Self {
            name,
            settings,
            account,
            reply_deadline,
            feed,
            queue,
            backoff,
            seen,
        }
    }

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
                    tracing::warn!(lane = self.name, user = self.account.user, %cause, "link lost");
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
                let wait = self.wait_after(cause);
                refuse_while(&mut self.queue, cause, sleep(wait)).await?;
            }
            let (settings, account) = (Arc::clone(&self.settings), self.account.clone());
            let reads_events = self.feed.as_ref().is_some_and(Feed::reads_events);
            let opening = async move { Link::open(&settings, &account, reads_events).await };
            let opened = match &known {
                Some(cause) => refuse_while(&mut self.queue, cause, opening).await?,
                None => opening.await,
            };
            match opened {
                Ok(link) => {
                    self.seen.greeted(link.greeting());
                    return Some(link);
                }
                Err(fault) => {
                    tracing::debug!(lane = self.name, cause = %fault, "no link");
                    self.seen
                        .refused
                        .store(fault.kind == FaultKind::Unauthorized, Ordering::Relaxed);
                    self.tell_down(&fault);
                    known = Some(as_told(&fault));
                }
            }
        }
    }

    fn wait_after(&mut self, cause: &Fault) -> Duration {
        match cause.kind {
            FaultKind::Unauthorized => REFUSED.max(self.settings.retry_most),
            _ => self.backoff.next(),
        }
    }

    /// Runs commands until the link is lost or the lane is closed.
    async fn serve(&mut self, mut link: Link) -> End {
        let stream = match link.open_events(&self.settings).await {
            Ok(stream) => stream,
            Err(fault) => {
                tokio::spawn(link.abandon());
                return End::Lost(fault);
            }
        };
        let epoch = EPOCH.fetch_add(1, Ordering::Relaxed);
        let (feed, greeting) = (self.feed.clone(), link.greeting().clone());
        let limit = self.settings.frame_limit;
        let mut events = tokio::spawn(follow(stream, limit, feed, epoch, greeting));
        let end = self.commands(&mut link, &mut events).await;
        // The event connection goes last: closed first, it would take the command connection with it.
        match &end {
            End::Closed => {
                link.close().await;
                events.abort();
            }
            End::Lost(cause) => {
                self.tell_down_of(epoch, cause).await;
                tokio::spawn(async move {
                    link.abandon().await;
                    events.abort();
                });
            }
        }
        end
    }

    async fn commands(&mut self, link: &mut Link, events: &mut JoinHandle<String>) -> End {
        loop {
            let request = tokio::select! {
                // A loss that can be seen already goes first: a command that is not sent has no unknown outcome.
                biased;
                cause = &mut *events => return self.lost(&cause.unwrap_or_default()),
                cause = link.lost() => return self.lost(&cause),
                request = self.queue.recv() => request,
                () = sleep(self.settings.probe) => {
                    if let Some(end) = self.probe(link).await {
                        return end;
                    }
                    continue;
                }
            };
            let Some(Item::Call(request)) = request else {
                return End::Closed;
            };
            if let Some(end) = self.run_one(link, request).await {
                return end;
            }
        }
    }

    /// A connection can be dead without anybody saying so; better to find out before it is needed.
    async fn probe(&self, link: &mut Link) -> Option<End> {
        let within = self.settings.reply_deadline.min(SIGN_OF_LIFE);
        let args = Bytes::from(encode(Vec::new()));
        match timeout(within, link.call(verb::GETVERSION, args)).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(self.lost(&error.to_string())),
            Err(_) => Some(self.lost("no sign of life")),
        }
    }

    /// The lane waits for a reply longer than who asked, if need be: the next one would be taken for it.
    async fn run_one(&self, link: &mut Link, request: Request) -> Option<End> {
        if request.deadline < Instant::now() + LEAST {
            let _ = request.reply.send(Err(not_sent()));
            return None;
        }
        if !request.begin() {
            return None;
        }
        if let Some(Feed::Private(feed)) = &self.feed {
            feed.called(request.session);
        }
        let reply = timeout(self.reply_deadline, link.call(request.verb, request.args)).await;
        let cause = match reply {
            Ok(Ok(reply)) => {
                let _ = request.reply.send(self.answer(reply));
                return None;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no reply to `{}` in time", request.verb.name),
        };
        let _ = request
            .reply
            .send(Err(no_reply(request.verb, &self.settings.address, &cause)));
        Some(self.lost(&cause))
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
            let _ = to.try_send((epoch, News::Down(cause.clone())));
        }
    }

    async fn tell_down_of(&self, epoch: u64, cause: &Fault) {
        if let Some(Feed::All(to)) = &self.feed {
            let news = to.send((epoch, News::Down(cause.clone())));
            // The listener may be waiting for this very lane; the next link's number tells it the same.
            let _ = tokio::time::timeout(Duration::from_secs(1), news).await;
        }
    }
}

/// Waits for `event` and meanwhile refuses every call; `None` when the lane is closed.
async fn refuse_while<T>(
    queue: &mut mpsc::Receiver<Item>,
    cause: &Fault,
    event: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(event);
    loop {
        tokio::select! {
            biased;
            done = &mut event => return Some(done),
            item = queue.recv() => {
                let Some(Item::Call(request)) = item else { return None };
                let _ = request.reply.send(Err(cause.clone()));
            }
        }
    }
}

/// What calls are told while there is no link for this reason.
fn as_told(fault: &Fault) -> Fault {
    match fault.kind {
        FaultKind::Unavailable => fault.clone(),
        FaultKind::Unauthorized => Fault::new(
            FaultKind::Unauthorized,
            format!("log in again: {}", fault.message),
        ),
        _ => Fault::new(
            FaultKind::Unavailable,
            format!("the daemon is there but of no use: {}", fault.message),
        ),
    }
}

/// The fault of a command whose turn came too late.
pub(super) fn not_sent() -> Fault {
    let message = "the command waited for its turn until its deadline came, and was not sent";
    Fault::new(FaultKind::Unavailable, message)
}

/// The fault of a command that was sent, and whose reply did not come.
pub(super) fn no_reply(verb: Verb, address: &str, cause: &str) -> Fault {
    let name = verb.name;
    match verb.changes {
        true => Fault::new(
            FaultKind::UnknownOutcome,
            format!(
                "whether NICOS at {address} carried out `{name}` is unknown ({cause}); look at its state before trying again"
            ),
        ),
        false => Fault::new(
            FaultKind::Timeout,
            format!("NICOS at {address} did not answer `{name}`: {cause}"),
        )
        .retry(true),
    }
}

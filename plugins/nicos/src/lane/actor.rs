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

use patchbay_sdk::{Fault, FaultKind};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::backoff::Backoff;
use super::decode::refusal_text;
use super::feed::{Feed, News, follow};
use super::handle::{Answer, Item, Request, Seen};
use super::link::{Account, Link};
use crate::config::Settings;
use crate::frame::ReplyFrame;
use crate::verb::Verb;

/// A link that held this long was a good one: after it the waits between tries start small again.
const GOOD: Duration = Duration::from_secs(5);

/// Numbers links over all lanes, so that news of an old one can be told from a new one's.
static EPOCH: AtomicU64 = AtomicU64::new(1);

/// Owns a lane's link and what waits for it.
pub(super) struct Actor {
    name: &'static str,
    settings: Arc<Settings>,
    account: Account,
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
        feed: Option<Feed>,
        queue: mpsc::Receiver<Item>,
        seen: Arc<Seen>,
    ) -> Self {
        let backoff = Backoff::new(settings.retry_first, settings.retry_most);
        Self {
            name,
            settings,
            account,
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
                let wait = sleep(self.backoff.next());
                refuse_while(&mut self.queue, cause, wait).await?;
            }
            let (settings, account) = (Arc::clone(&self.settings), self.account.clone());
            let reads_events = self.feed.is_some();
            let opening = async move { Link::open(&settings, &account, reads_events).await };
            let opened = match &known {
                Some(cause) => refuse_while(&mut self.queue, cause, opening).await?,
                None => opening.await,
            };
            match opened {
                Ok(link) => return Some(link),
                Err(fault) => {
                    tracing::debug!(lane = self.name, cause = %fault, "no link");
                    self.seen
                        .refused
                        .store(fault.kind == FaultKind::Unauthorized, Ordering::Relaxed);
                    self.tell_down(&fault);
                    known = Some(unavailable(&fault));
                }
            }
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
        self.seen.greeted(link.greeting());
        let epoch = EPOCH.fetch_add(1, Ordering::Relaxed);
        let to = self
            .feed
            .clone()
            .map(|feed| (feed, epoch, link.greeting().clone()));
        let mut events = tokio::spawn(follow(stream, self.settings.frame_limit, to));
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
            };
            let Some(Item::Call(request)) = request else {
                return End::Closed;
            };
            if let Some(end) = self.run_one(link, request).await {
                return end;
            }
        }
    }

    async fn run_one(&self, link: &mut Link, request: Request) -> Option<End> {
        if request.reply.is_closed() {
            return None;
        }
        if request.deadline <= Instant::now() {
            let message =
                "the command waited for its turn until its deadline passed, and was not sent";
            let _ = request
                .reply
                .send(Err(Fault::new(FaultKind::Unavailable, message)));
            return None;
        }
        let reply = timeout_at(
            request.deadline,
            link.call(request.verb, request.args, &self.settings),
        )
        .await;
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
            ReplyFrame::Refused(payload) => Ok(Answer::Refused(refusal_text(
                &payload,
                &self.settings.limits,
            ))),
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
        if let Some(feed) = &self.feed {
            let epoch = EPOCH.fetch_add(1, Ordering::Relaxed);
            let _ = feed.0.try_send((epoch, News::Down(cause.clone())));
        }
    }

    async fn tell_down_of(&self, epoch: u64, cause: &Fault) {
        if let Some(feed) = &self.feed {
            let news = feed.0.send((epoch, News::Down(cause.clone())));
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

/// To somebody who was let in before, a refused login of the lane is no reason to log in again.
fn unavailable(fault: &Fault) -> Fault {
    match fault.kind {
        FaultKind::Unavailable => fault.clone(),
        _ => Fault::new(
            FaultKind::Unavailable,
            format!("the daemon is there but of no use: {}", fault.message),
        ),
    }
}

fn no_reply(verb: Verb, address: &str, cause: &str) -> Fault {
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

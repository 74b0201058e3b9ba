//! One client: a reply-to, its session, and its requests in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_dialect_json::{Form, Subscription, Wish};
use patchbay_sdk::{Fault, GatewayEvent};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::delivery::{Delivery, Envelope};
use crate::key::Key;
use crate::member::Member;
use crate::subscription::{Subscribed, Unread};

/// One request, taken and understood.
pub struct Job {
    /// Who waits for it.
    pub ticket: Ticket,
    /// What is to be done.
    pub wish: Wish,
    /// Why it is not done, if that is certain; it only waits for its turn to be answered.
    pub refusal: Option<Fault>,
}

impl Job {
    /// What is asked, if it changes nothing, so that others of its kind can be under way beside it.
    pub fn looks_for(&self) -> Option<&'static str> {
        match &self.wish {
            Wish::Call(call) if self.refusal.is_none() && !call.changes() => {
                call.known.map(|op| op.name)
            }
            _ => None,
        }
    }
}

/// What is needed to answer a request.
pub struct Ticket {
    /// Where the answer goes.
    pub envelope: Envelope,
    /// In which form.
    pub form: Form,
    /// Which message it is; `None` for what may be done twice.
    pub key: Option<Key>,
    /// Whether what becomes of it is remembered under that key.
    pub remembered: bool,
    /// The broker may have delivered it before.
    pub redelivered: bool,
    /// The message to be acknowledged afterwards.
    pub delivery: Delivery,
}

/// The way to a client's queue of requests.
#[derive(Clone)]
pub struct Client {
    /// What the worker shares.
    pub state: Arc<ClientState>,
    jobs: mpsc::Sender<Job>,
}

/// What is known of a client.
pub struct ClientState {
    /// Its `reply-to`.
    pub reply_to: String,
    /// One default login at a time.
    pub login_turn: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
}

/// What is to become of an urgent request.
pub enum Urgent {
    /// It can be done at once, for this member.
    Now(Member, Job),
    /// It is kept until the login under way is decided.
    Parked,
    /// Nobody is logged in or on the way there, or too many are kept already.
    Queue(Job),
}

struct Inner {
    member: Option<Member>,
    /// To events; as long as the session.
    subscribed: Option<Subscribed>,
    /// Logins that are waiting or being decided.
    logins: usize,
    /// Urgent requests that came while there was no session yet.
    parked: Vec<Job>,
    parked_limit: usize,
    /// Requests in the queue, and those that are being done.
    unanswered: usize,
    /// More are not taken.
    unanswered_limit: usize,
    seen: Instant,
    gone_since: Option<Instant>,
}

impl Client {
    /// A client that is not logged in, and the other end of its queue; at most `waiting` requests may be unanswered beside
    /// the one that is done first.
    pub fn new(reply_to: &str, waiting: usize) -> (Self, mpsc::Receiver<Job>) {
        let unanswered_limit = waiting.saturating_add(1);
        let (jobs, queue) = mpsc::channel(unanswered_limit);
        let inner = Inner {
            member: None,
            subscribed: None,
            logins: 0,
            parked: Vec::new(),
            parked_limit: waiting,
            unanswered: 0,
            unanswered_limit,
            seen: Instant::now(),
            gone_since: None,
        };
        let state = ClientState {
            reply_to: reply_to.to_owned(),
            login_turn: tokio::sync::Mutex::default(),
            inner: Mutex::new(inner),
        };
        (
            Self {
                state: Arc::new(state),
                jobs,
            },
            queue,
        )
    }

    /// Puts a request behind the others; comes back if there are too many. (The size of the error is that of a job,
    /// which would be moved all the same.)
    #[allow(clippy::result_large_err)]
    pub fn enqueue(&self, job: Job) -> Result<(), Job> {
        let login = matches!(job.wish, Wish::Login { .. });
        let mut inner = self.state.lock();
        inner.touch();
        if inner.unanswered >= inner.unanswered_limit {
            return Err(job);
        }
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(job) | mpsc::error::TrySendError::Closed(job) => job,
        })?;
        inner.logins += usize::from(login);
        inner.unanswered += 1;
        Ok(())
    }

    /// Whether somebody works on its requests.
    pub fn is_busy(&self) -> bool {
        !self.jobs.is_closed() && self.state.lock().unanswered > 0
    }
}

impl ClientState {
    /// Who it is, if the client is logged in.
    pub fn member(&self) -> Option<Member> {
        self.lock().member.clone()
    }

    /// Whether it is logged in.
    pub fn is_member(&self) -> bool {
        self.lock().member.is_some()
    }

    /// Says what to do with an urgent request.
    pub fn hurry(&self, job: Job) -> Urgent {
        let mut inner = self.lock();
        inner.touch();
        if let Some(member) = inner.member.clone() {
            return Urgent::Now(member, job);
        }
        if inner.logins == 0 || inner.parked.len() >= inner.parked_limit {
            return Urgent::Queue(job);
        }
        inner.parked.push(job);
        Urgent::Parked
    }

    /// A login was decided: its session takes the place of the one before or, with `None`, there is none any more.
    /// Returns the urgent requests that have waited for this.
    pub fn decide_login(&self, member: Option<Member>) -> Vec<Job> {
        let mut inner = self.lock();
        inner.logins = inner.logins.saturating_sub(1);
        // The login may have taken long; the client has not been silent meanwhile.
        inner.seen = Instant::now();
        let parked = if member.is_some() || inner.logins == 0 {
            std::mem::take(&mut inner.parked)
        } else {
            Vec::new()
        };
        // Dropped after the lock, because the last session to go tells the host.
        inner.subscribed = None;
        let before = std::mem::replace(&mut inner.member, member);
        drop(inner);
        drop(before);
        parked
    }

    /// A session for a client that has not logged in.
    pub fn adopt(&self, member: Member) {
        let mut inner = self.lock();
        inner.seen = Instant::now();
        let before = inner.member.replace(member);
        drop(inner);
        drop(before);
    }

    /// Ends the session, once what comes out is dropped: not under a lock, because the last one to go tells the host.
    pub fn log_out(&self) -> Option<Member> {
        let mut inner = self.lock();
        inner.subscribed = None;
        inner.member.take()
    }

    /// A request of its queue was answered.
    pub fn answered(&self) {
        let mut inner = self.lock();
        inner.unanswered = inner.unanswered.saturating_sub(1);
    }

    /// Wants to be told of events, as long as it is logged in.
    pub fn subscribe(&self, what: Subscription) {
        let mut inner = self.lock();
        inner.subscribed = inner.member.is_some().then(|| Subscribed::new(what));
    }

    /// Does not any more.
    pub fn unsubscribe(&self) {
        self.lock().subscribed = None;
    }

    /// Whether it is to be told of that event.
    pub fn wants(&self, event: &GatewayEvent) -> bool {
        let inner = self.lock();
        let session = inner.member.as_ref().map(|member| member.session.id());
        let subscribed = inner.subscribed.as_ref();
        subscribed.is_some_and(|subscribed| subscribed.wants(&event.kind))
            && event.session.is_none_or(|only| session == Some(only))
    }

    /// Counts an event of that length; whether it may be sent to who has been silent for as long.
    pub fn may_be_sent(&self, length: usize, limit: Unread) -> bool {
        let mut inner = self.lock();
        let subscribed = inner.subscribed.as_mut();
        subscribed.is_some_and(|subscribed| subscribed.take(length, limit))
    }

    /// When it last asked for something.
    pub fn seen(&self) -> Instant {
        self.lock().seen
    }

    /// The broker says that its temporary queue is gone (`true`), or that it is there.
    pub fn mark_gone(&self, gone: bool) {
        let mut inner = self.lock();
        inner.gone_since = gone.then(|| inner.gone_since.unwrap_or_else(Instant::now));
    }

    /// Since when the broker says so.
    pub fn gone_since(&self) -> Option<Instant> {
        self.lock().gone_since
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The client has just asked for something.
    fn touch(&mut self) {
        self.seen = Instant::now();
        self.gone_since = None;
        if let Some(subscribed) = &mut self.subscribed {
            subscribed.renew();
        }
    }
}

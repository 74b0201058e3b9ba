//! One client: a reply-to, its session, and its requests in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_sdk::Session;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::delivery::{Delivery, Envelope};
use crate::memory::Key;
use crate::request::{Contract, Wish};

/// One request, taken and understood.
pub struct Job {
    /// Who waits for it.
    pub ticket: Ticket,
    /// What is to be done.
    pub wish: Wish,
}

/// What is needed to answer a request.
pub struct Ticket {
    /// Where the answer goes.
    pub envelope: Envelope,
    /// In which form.
    pub contract: Contract,
    /// Under which key the answer is remembered; `None` for what may be done twice.
    pub key: Option<Key>,
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
    inner: Mutex<Inner>,
}

struct Inner {
    session: Option<Session>,
    closed: bool,
    seen: Instant,
    gone_since: Option<Instant>,
}

impl Client {
    /// A client that is not logged in, and the other end of its queue of at most `waiting` requests.
    pub fn new(reply_to: &str, waiting: usize) -> (Self, mpsc::Receiver<Job>) {
        let (jobs, queue) = mpsc::channel(waiting);
        let inner = Inner {
            session: None,
            closed: false,
            seen: Instant::now(),
            gone_since: None,
        };
        let state = ClientState {
            reply_to: reply_to.to_owned(),
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
        self.state.touch();
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(job) | mpsc::error::TrySendError::Closed(job) => job,
        })
    }
}

impl ClientState {
    /// The session, if the client is logged in.
    pub fn session(&self) -> Option<Session> {
        self.lock().session.clone()
    }

    /// Logs in anew or, with `None`, out. A client that was closed meanwhile stays out.
    pub fn set_session(&self, session: Option<Session>) {
        let mut inner = self.lock();
        let keep = session.filter(|_| !inner.closed);
        // Dropped after the lock, because the last session to go tells the host.
        let before = std::mem::replace(&mut inner.session, keep);
        drop(inner);
        drop(before);
    }

    /// Ends the session for good.
    pub fn close(&self) {
        self.lock().closed = true;
        self.set_session(None);
    }

    /// The client has just asked for something.
    pub fn touch(&self) {
        let mut inner = self.lock();
        inner.seen = Instant::now();
        inner.gone_since = None;
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

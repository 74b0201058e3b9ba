//! One login at the daemon.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::time::Instant;

use crate::lane::{
    Account, Caller, Daemon, Decoder, Feed, Lane, Link, PrivateFeed, PrivateSender, Sort, Whose,
};

/// One login: a name and password that the daemon has accepted, and its lanes. They are closed when it is dropped.
#[derive(Debug)]
pub struct Login {
    daemon: Arc<Daemon>,
    account: Account,
    /// The session that has it to itself.
    of: Option<u64>,
    user_level: i64,
    private: PrivateSender,
    query: Lane,
    urgent: Lane,
    /// Opened when first needed: most clients never run code of their own in the daemon's handler.
    long: OnceLock<Lane>,
    clients: AtomicUsize,
    idle_since: Mutex<Instant>,
    /// When the daemon has last accepted it.
    verified: Mutex<Instant>,
    /// The daemon has changed its mind about it, and whoever uses it must log in again.
    stale: AtomicBool,
}

impl Login {
    pub(super) fn new(
        daemon: &Arc<Daemon>,
        account: Account,
        link: Link,
        private: &PrivateSender,
        of: Option<u64>,
    ) -> Self {
        let user_level = link.greeting().user_level;
        let lane = |sort, link| {
            let feed = feed(sort, of, &account, private);
            Lane::start(sort, daemon, account.clone(), link, Some(feed))
        };
        Self {
            query: lane(Sort::Query, Some(link)),
            urgent: lane(Sort::Urgent, None),
            long: OnceLock::new(),
            daemon: Arc::clone(daemon),
            private: private.clone(),
            account,
            of,
            user_level,
            clients: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
            verified: Mutex::new(Instant::now()),
            stale: AtomicBool::new(false),
        }
    }

    /// NICOS's level: 0 guest, 10 user, 20 admin.
    #[must_use]
    pub fn user_level(&self) -> i64 {
        self.user_level
    }

    /// Reads what the daemon answers.
    #[must_use]
    pub fn decoder(&self) -> &Decoder {
        self.daemon.decoder()
    }

    /// The name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.account.user
    }

    /// For commands that are answered at once.
    #[must_use]
    pub fn query(&self) -> &Lane {
        &self.query
    }

    /// For commands that must not wait.
    #[must_use]
    pub fn urgent(&self) -> &Lane {
        &self.urgent
    }

    /// For commands that run the user's code.
    #[must_use]
    pub fn long(&self) -> &Lane {
        self.long.get_or_init(|| {
            let feed = feed(Sort::Long, self.of, &self.account, &self.private);
            let account = self.account.clone();
            Lane::start(Sort::Long, &self.daemon, account, None, Some(feed))
        })
    }

    /// Whether the daemon holds something else of this login than when it was opened: it refuses the password now, or
    /// has let a lane in again with another level. Then it admits nobody, and its sessions are of no more use.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let changed = |lane: &Lane| {
            let greeting = lane.greeting();
            lane.is_refused() || greeting.is_some_and(|said| said.user_level != self.user_level)
        };
        self.stale.load(Ordering::Relaxed) || self.lanes().any(changed)
    }

    pub(super) fn is_shared(&self) -> bool {
        self.of.is_none()
    }

    pub(super) fn admits(&self, account: &Account) -> bool {
        self.is_of(account) && !self.is_stale()
    }

    fn is_of(&self, account: &Account) -> bool {
        self.account.user == account.user && self.account.secret.matches(&account.secret)
    }

    /// Whether the daemon has accepted it not too long ago.
    pub(super) fn is_fresh(&self) -> bool {
        let verified = *self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.elapsed() < self.daemon.settings().verify
    }

    /// The daemon has accepted it again, with this level.
    pub(super) fn verify(&self, user_level: i64) {
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        if user_level != self.user_level {
            self.expire();
        }
    }

    /// Whoever uses it must log in again.
    pub(super) fn expire(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        let lanes = [Some(&self.query), Some(&self.urgent), self.long.get()];
        lanes.into_iter().flatten()
    }

    /// A client more; until [`Self::leave`].
    pub(super) fn join(&self) {
        self.clients.fetch_add(1, Ordering::SeqCst);
    }

    /// A client less.
    pub(super) fn leave(&self) {
        *self
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.clients.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn clients(&self) -> usize {
        self.clients.load(Ordering::SeqCst)
    }

    /// When it is to be closed, if it has no clients.
    pub(super) fn due(&self) -> Option<Instant> {
        let since = self.idle_since.lock();
        let since = *since.unwrap_or_else(PoisonError::into_inner);
        match (self.clients(), self.of) {
            (0, None) => Some(since + self.daemon.settings().idle),
            // Nobody else can use it.
            (0, Some(_)) => Some(since),
            _ => None,
        }
    }
}

fn feed(sort: Sort, of: Option<u64>, account: &Account, to: &PrivateSender) -> Feed {
    let whose = match (of, sort) {
        (Some(session), _) => Whose::Client(session),
        (None, Sort::Long) => Whose::Caller(Caller::default()),
        (None, _) => Whose::Submitter,
    };
    Feed::Private(PrivateFeed {
        user: account.user.clone(),
        whose,
        to: to.clone(),
    })
}

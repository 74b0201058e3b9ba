//! One login at the daemon.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::config::Settings;
use crate::lane::{Account, Caller, Feed, Lane, Link, PrivateFeed, PrivateSender, Whose};

/// One login: a name and password that the daemon has accepted, and its lanes.
#[derive(Debug)]
pub struct Login {
    settings: Arc<Settings>,
    account: Account,
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
        settings: Arc<Settings>,
        account: Account,
        link: Link,
        private: PrivateSender,
    ) -> Self {
        let user_level = link.greeting().user_level;
        let lane = |name, link| {
            let feed = private_feed(&account, Whose::Submitter, &private);
            Lane::start(name, Arc::clone(&settings), account.clone(), link, feed)
        };
        let (query, urgent) = (lane("query", Some(link)), lane("urgent", None));
        let idle_since = Mutex::new(Instant::now());
        Self {
            query,
            urgent,
            user_level,
            idle_since,
            settings,
            account,
            private,
            long: OnceLock::new(),
            clients: AtomicUsize::new(0),
            verified: Mutex::new(Instant::now()),
            stale: AtomicBool::new(false),
        }
    }

    /// NICOS's level: 0 guest, 10 user, 20 admin.
    #[must_use]
    pub fn user_level(&self) -> i64 {
        self.user_level
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
            let whose = Whose::Caller(Caller::default());
            let feed = private_feed(&self.account, whose, &self.private);
            Lane::start_long(
                "long",
                Arc::clone(&self.settings),
                self.account.clone(),
                feed,
            )
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

    pub(super) fn admits(&self, account: &Account) -> bool {
        self.is_of(account) && !self.is_stale()
    }

    fn is_of(&self, account: &Account) -> bool {
        self.account.user == account.user && self.account.secret.matches(&account.secret)
    }

    /// Whether the daemon has accepted it not too long ago.
    pub(super) fn is_fresh(&self) -> bool {
        let verified = *self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.elapsed() < self.settings.verify
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

    pub(super) fn idle_since(&self) -> Option<Instant> {
        (self.clients() == 0).then(|| {
            *self
                .idle_since
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }

    pub(super) async fn close(&self) {
        join_all(self.lanes().map(Lane::close)).await;
    }
}

fn private_feed(account: &Account, whose: Whose, to: &PrivateSender) -> Option<Feed> {
    Some(Feed::Private(PrivateFeed {
        user: account.user.clone(),
        whose,
        to: to.clone(),
    }))
}

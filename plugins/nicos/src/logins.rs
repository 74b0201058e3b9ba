//! Logins at the daemon, shared by all clients that log in the same way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::future::join_all;
use patchbay_sdk::{Fault, FaultKind, Secret};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::config::Settings;
use crate::lane::{Account, Lane, Link};

/// All logins of an instance.
#[derive(Debug)]
pub struct Logins {
    settings: Arc<Settings>,
    open: Mutex<Vec<Arc<Login>>>,
    /// Held while somebody new is let in, so that two clients do not open the same login twice.
    gate: tokio::sync::Mutex<()>,
    /// A login may have lost its last client.
    released: Notify,
}

/// One login: a name and password that the daemon has accepted, and its lanes.
#[derive(Debug)]
pub struct Login {
    settings: Arc<Settings>,
    account: Account,
    user_level: i64,
    query: Lane,
    urgent: Lane,
    /// Opened when first needed: most clients never run code of their own in the daemon's handler.
    long: OnceLock<Lane>,
    clients: AtomicUsize,
    idle_since: Mutex<Instant>,
}

/// A client's share in a login; dropping it gives it back.
#[derive(Debug)]
pub struct Lease {
    login: Arc<Login>,
    logins: Arc<Logins>,
}

impl Logins {
    /// No logins.
    #[must_use]
    pub fn new(settings: Arc<Settings>) -> Arc<Self> {
        let gate = tokio::sync::Mutex::new(());
        Arc::new(Self {
            settings,
            open: Mutex::default(),
            gate,
            released: Notify::new(),
        })
    }

    /// Lets a client in: at once if the daemon has accepted the same name and password before, else by asking it.
    ///
    /// # Errors
    /// `Unauthorized` if the daemon refuses, `Unavailable` if it cannot be asked, `Busy` if there are too many logins.
    pub async fn enter(self: &Arc<Self>, account: Account) -> Result<Lease, Fault> {
        if let Some(lease) = self.known(&account) {
            return Ok(lease);
        }
        let _gate = self.gate.lock().await;
        if let Some(lease) = self.known(&account) {
            return Ok(lease);
        }
        let link = Link::open(&self.settings, &account, false).await?;
        let login = Arc::new(Login::new(Arc::clone(&self.settings), account, link));
        let lease = self.lease(Arc::clone(&login));
        self.add(login)?;
        Ok(lease)
    }

    /// Closes logins that have had no clients for a while; runs until it is dropped.
    pub async fn reap(self: Arc<Self>) {
        loop {
            let next = self.take_idle();
            match next {
                Some(next) => tokio::select! {
                    () = sleep_until(next) => {}
                    () = self.released.notified() => {}
                },
                None => self.released.notified().await,
            }
        }
    }

    /// Closes every connection properly, which takes up to three seconds.
    pub async fn close(&self) {
        let logins = std::mem::take(&mut *self.open());
        join_all(logins.iter().map(|login| login.close())).await;
    }

    fn known(self: &Arc<Self>, account: &Account) -> Option<Lease> {
        let open = self.open();
        let login = open
            .iter()
            .find(|login| login.admits(&account.user, &account.secret))?;
        let login = Arc::clone(login);
        // Counted while the list is locked, so that the login cannot be closed in between.
        Some(self.lease(login))
    }

    fn lease(self: &Arc<Self>, login: Arc<Login>) -> Lease {
        login.clients.fetch_add(1, Ordering::SeqCst);
        Lease {
            login,
            logins: Arc::clone(self),
        }
    }

    fn add(&self, login: Arc<Login>) -> Result<(), Fault> {
        let mut open = self.open();
        // A refused one is replaced by the new one of that name.
        open.retain(|old| old.clients() > 0 || !old.query.is_refused());
        if open.len() >= self.settings.logins_most {
            let oldest = open.iter().position(|old| old.clients() == 0);
            let oldest = oldest.ok_or_else(|| too_many(self.settings.logins_most))?;
            open.remove(oldest);
        }
        open.push(login);
        Ok(())
    }

    /// Drops what has been idle for long enough; their lanes say farewell by themselves. Returns when to look again.
    fn take_idle(&self) -> Option<Instant> {
        let idle = self.settings.idle;
        let mut open = self.open();
        let due = |login: &Login| login.idle_since().map(|since| since + idle);
        open.retain(|login| due(login).is_none_or(|due| due > Instant::now()));
        open.iter().filter_map(|login| due(login)).min()
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Login>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Login {
    fn new(settings: Arc<Settings>, account: Account, link: Link) -> Self {
        let user_level = link.greeting().user_level;
        let lane =
            |name, link| Lane::start(name, Arc::clone(&settings), account.clone(), link, None);
        let (query, urgent) = (lane("query", Some(link)), lane("urgent", None));
        let idle_since = Mutex::new(Instant::now());
        Self {
            query,
            urgent,
            user_level,
            idle_since,
            settings,
            account,
            long: OnceLock::new(),
            clients: AtomicUsize::new(0),
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
            Lane::start(
                "long",
                Arc::clone(&self.settings),
                self.account.clone(),
                None,
                None,
            )
        })
    }

    fn admits(&self, user: &str, secret: &Secret) -> bool {
        self.account.user == user && self.account.secret.matches(secret) && !self.query.is_refused()
    }

    fn clients(&self) -> usize {
        self.clients.load(Ordering::SeqCst)
    }

    fn idle_since(&self) -> Option<Instant> {
        (self.clients() == 0).then(|| {
            *self
                .idle_since
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }

    async fn close(&self) {
        let lanes = [Some(&self.query), Some(&self.urgent), self.long.get()];
        join_all(lanes.into_iter().flatten().map(Lane::close)).await;
    }
}

impl Lease {
    /// The login.
    #[must_use]
    pub fn login(&self) -> &Login {
        &self.login
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self
            .login
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.login.clients.fetch_sub(1, Ordering::SeqCst);
        self.logins.released.notify_one();
    }
}

fn too_many(most: usize) -> Fault {
    let message = format!(
        "there are {most} different logins at NICOS already; try again later, or raise `logins_most`"
    );
    Fault::new(FaultKind::Busy, message)
}

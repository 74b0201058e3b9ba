//! Logins at the daemon, shared by all clients that log in the same way.

mod gates;
mod login;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use patchbay_sdk::{Fault, FaultKind};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::config::Settings;
use crate::lane::{Account, Link, PrivateSender};
use gates::Gates;
pub use login::Login;

/// All logins of an instance.
#[derive(Debug)]
pub struct Logins {
    settings: Arc<Settings>,
    private: PrivateSender,
    open: Mutex<Vec<Arc<Login>>>,
    /// Held while somebody new is let in, so that two clients do not open the same login twice.
    gates: Gates,
    /// A login may have lost its last client.
    released: Notify,
}

/// A client's share in a login; dropping it gives it back.
#[derive(Debug)]
pub struct Lease {
    login: Arc<Login>,
    logins: Arc<Logins>,
}

impl Logins {
    /// No logins. What the daemon tells one client only goes to `private`.
    #[must_use]
    pub fn new(settings: Arc<Settings>, private: PrivateSender) -> Arc<Self> {
        let gates = Gates::new(settings.logins_most);
        Arc::new(Self {
            settings,
            private,
            open: Mutex::default(),
            gates,
            released: Notify::new(),
        })
    }

    /// Lets a client in: at once if the daemon has accepted the same name and password lately, else by asking it.
    ///
    /// # Errors
    /// `Unauthorized` if the daemon refuses, `Unavailable` if it cannot be asked, `Busy` if there are too many logins.
    pub async fn enter(self: &Arc<Self>, account: Account) -> Result<Lease, Fault> {
        if let Some(lease) = self.fresh(&account) {
            return Ok(lease);
        }
        let turn = self.gates.pass(&account).await;
        let _turn = turn.ok_or_else(|| too_many(self.settings.logins_most))?;
        if let Some(lease) = self.fresh(&account) {
            return Ok(lease);
        }
        let opened = Link::open(&self.settings, &account, false).await;
        if let Some(known) = self.known(&account) {
            match &opened {
                Ok(link) => known.login.verify(link.greeting().user_level),
                Err(fault) if fault.kind == FaultKind::Unauthorized => known.login.expire(),
                Err(_) => {}
            }
        }
        let link = opened?;
        match self.known(&account) {
            Some(lease) => {
                tokio::spawn(link.close());
                Ok(lease)
            }
            None => self.open_login(account, link),
        }
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

    fn fresh(self: &Arc<Self>, account: &Account) -> Option<Lease> {
        self.known(account).filter(|lease| lease.login.is_fresh())
    }

    fn known(self: &Arc<Self>, account: &Account) -> Option<Lease> {
        let open = self.open();
        let login = open.iter().find(|login| login.admits(account))?;
        let login = Arc::clone(login);
        // Counted while the list is locked, so that the login cannot be closed in between.
        Some(self.lease(login))
    }

    fn open_login(self: &Arc<Self>, account: Account, link: Link) -> Result<Lease, Fault> {
        let login = Arc::new(Login::new(
            Arc::clone(&self.settings),
            account,
            link,
            self.private.clone(),
        ));
        let lease = self.lease(Arc::clone(&login));
        self.add(login)?;
        Ok(lease)
    }

    fn lease(self: &Arc<Self>, login: Arc<Login>) -> Lease {
        login.join();
        Lease {
            login,
            logins: Arc::clone(self),
        }
    }

    fn add(&self, login: Arc<Login>) -> Result<(), Fault> {
        let mut open = self.open();
        // Who comes back finds a new one in place of a stale one.
        open.retain(|old| old.clients() > 0 || !old.is_stale());
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

impl Lease {
    /// The login.
    #[must_use]
    pub fn login(&self) -> &Login {
        &self.login
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.login.leave();
        self.logins.released.notify_one();
    }
}

fn too_many(most: usize) -> Fault {
    let message = format!(
        "there are {most} different logins at NICOS already; try again later, or raise `logins_most`"
    );
    Fault::new(FaultKind::Busy, message)
}

//! Logins at the daemon, shared by all clients that log in the same way, or one for each client.

mod gates;
mod login;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_sdk::{Fault, FaultKind};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::config::Sessions;
use crate::lane::{Account, Daemon, Haste, Link, PrivateSender};
use gates::{Gates, Pass};
pub use login::Login;

/// All logins of an instance.
#[derive(Debug)]
pub struct Logins {
    daemon: Arc<Daemon>,
    private: PrivateSender,
    open: Mutex<Vec<Arc<Login>>>,
    /// Held while somebody new is let in, so that two clients do not open the same login twice.
    gates: Gates,
    /// Held while the daemon is asked again about somebody who is in. Not the same, so that who is known already does not
    /// wait behind those who try other passwords.
    again: Gates,
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
    pub fn new(daemon: &Arc<Daemon>, private: PrivateSender) -> Arc<Self> {
        let settings = daemon.settings();
        Arc::new(Self {
            gates: Gates::new(settings.logins_most, settings.queue_most),
            again: Gates::new(settings.logins_most, settings.queue_most),
            daemon: Arc::clone(daemon),
            private,
            open: Mutex::default(),
            released: Notify::new(),
        })
    }

    /// Lets a client in. If logins are shared: at once if the daemon has accepted the same name and password lately,
    /// else by asking it. If each client has its own: always by asking it, with a login that ends when the client's
    /// last command has ended.
    ///
    /// # Errors
    /// `Unauthorized` if the daemon refuses, `Unavailable` if it cannot be asked, `Busy` if there are too many logins
    /// or too many wait for theirs, `ShuttingDown` if everything is being closed.
    pub async fn enter(self: &Arc<Self>, account: Account, session: u64) -> Result<Lease, Fault> {
        match self.daemon.settings().sessions {
            Sessions::Shared => self.share(account).await,
            Sessions::PerClient => self.enter_alone(account, session).await,
        }
    }

    async fn share(self: &Arc<Self>, account: Account) -> Result<Lease, Fault> {
        if let Some(lease) = self.fresh(&account) {
            return Ok(lease);
        }
        if let Some(known) = self.known(&account)
            && let Some(lease) = self.ask_again(known, &account).await?
        {
            return Ok(lease);
        }
        let mut pass = self.gates.pass(&account.user).await?;
        // Who was before us may have opened it.
        if let Some(lease) = self.fresh(&account) {
            return Ok(lease);
        }
        let link = self.ask(&account, &mut pass).await?;
        self.add(account, link, None)
    }

    /// Asks the daemon whether it still accepts what it has accepted long ago, which need not wait behind those who
    /// try other passwords; `None` if somebody else was before us, and it does not.
    async fn ask_again(
        self: &Arc<Self>,
        known: Lease,
        account: &Account,
    ) -> Result<Option<Lease>, Fault> {
        let mut pass = self.again.pass(&account.user).await?;
        if !known.login.admits(account) {
            return Ok(None);
        }
        if known.login.is_fresh() {
            return Ok(Some(known));
        }
        let link = self.ask(account, &mut pass).await;
        if matches!(&link, Err(fault) if fault.kind == FaultKind::Unauthorized) {
            known.login.expire();
        }
        let link = link?;
        known.login.verify(link.greeting().user_level);
        if known.login.is_stale() {
            return self.add(account.clone(), link, None).map(Some);
        }
        self.daemon.dismiss(link);
        Ok(Some(known))
    }

    async fn enter_alone(self: &Arc<Self>, account: Account, session: u64) -> Result<Lease, Fault> {
        let link = if self.is_verified(&account) {
            self.open_link(&account).await?
        } else {
            let mut pass = self.gates.pass(&account.user).await?;
            self.ask(&account, &mut pass).await?
        };
        self.add(account, link, Some(session))
    }

    /// Asks the daemon, and lets those who wait know what came of it.
    async fn ask(&self, account: &Account, pass: &mut Pass) -> Result<Link, Fault> {
        let link = self.open_link(account).await;
        link.inspect_err(|fault| pass.note(fault))
    }

    async fn open_link(&self, account: &Account) -> Result<Link, Fault> {
        self.daemon.open(account, false, Haste::None).await
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

    fn fresh(self: &Arc<Self>, account: &Account) -> Option<Lease> {
        self.known(account).filter(|lease| lease.login.is_fresh())
    }

    fn known(self: &Arc<Self>, account: &Account) -> Option<Lease> {
        let open = self.open();
        let login = open
            .iter()
            .find(|login| login.is_shared() && login.admits(account))?;
        let login = Arc::clone(login);
        // Counted while the list is locked, so that the login cannot be closed in between.
        Some(self.lease(login))
    }

    /// Whether the daemon has accepted the same name and password, and not refused them since.
    fn is_verified(&self, account: &Account) -> bool {
        self.open().iter().any(|login| login.admits(account))
    }

    fn lease(self: &Arc<Self>, login: Arc<Login>) -> Lease {
        login.join();
        Lease {
            login,
            logins: Arc::clone(self),
        }
    }

    /// Makes a login of a link, `of` one session only or for all to share.
    fn add(
        self: &Arc<Self>,
        account: Account,
        link: Link,
        of: Option<u64>,
    ) -> Result<Lease, Fault> {
        let mut open = self.open();
        if let Err(fault) = self.make_room(&mut open) {
            self.daemon.dismiss(link);
            return Err(fault);
        }
        let login = Arc::new(Login::new(&self.daemon, account, link, &self.private, of));
        open.push(Arc::clone(&login));
        Ok(self.lease(login))
    }

    fn make_room(&self, open: &mut Vec<Arc<Login>>) -> Result<(), Fault> {
        let most = self.daemon.settings().logins_most;
        // Who comes back finds a new one in place of a stale one.
        open.retain(|old| old.clients() > 0 || !old.is_stale());
        if open.len() >= most {
            let idle = open.iter().position(|old| old.clients() == 0);
            open.remove(idle.ok_or_else(|| too_many(most))?);
        }
        Ok(())
    }

    /// Drops what has been idle for long enough; their lanes say farewell by themselves. Returns when to look again.
    fn take_idle(&self) -> Option<Instant> {
        let mut open = self.open();
        open.retain(|login| login.due().is_none_or(|due| due > Instant::now()));
        open.iter().filter_map(|login| login.due()).min()
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Login>>> {
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
        "there are {most} logins at NICOS already; try again later, or raise `logins_most`"
    );
    Fault::new(FaultKind::Busy, message)
}

//! The plugin's face to the host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use patchbay_sdk::{
    Backend, BackendContext, BackendSession, Command, Fault, FaultKind, RawJson, Reply, Role, Side,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::{Config, Settings};
use crate::health::Board;
use crate::known::Known;
use crate::lane::{Account, Daemon, privates};
use crate::logins::{Lease, Logins};
use crate::observer::{Candidate, Observer, offer};
use crate::ops::{self, Scene};

/// How long the farewell to the daemon may take in all.
const FAREWELL: Duration = Duration::from_secs(5);

/// A NICOS daemon.
pub struct Nicos {
    settings: Arc<Settings>,
    daemon: Arc<Daemon>,
    logins: Arc<Logins>,
    known: Arc<Known>,
    /// As whom those log in for whom the host vouches.
    service: Option<Account>,
    candidate: Candidate,
    refused: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Backend for Nicos {
    type Config = Config;
    type Session = NicosSession;

    const TAKES_THE_HOSTS_WORD: bool = true;

    async fn start(config: Config, cx: BackendContext) -> Result<Self, Fault> {
        let settings = Arc::new(config.resolve()?);
        let health = cx.clone();
        let board = Board::new(move |told| health.health(told));
        let daemon = Daemon::new(Arc::clone(&settings), board);
        let known = Known::new(settings.jobs_most);
        let service = service(&settings)?;
        let (candidate, account) = watch::channel(observer(&settings)?);
        let (refused_told, refused) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
        let (private_told, private) = privates(settings.events_waiting);
        let observer = Observer::new(&daemon, Arc::clone(&known), cx, private, refused_told);
        let observer = tokio::spawn(observer.run(account, stopped));
        let logins = Logins::new(&daemon, private_told);
        let reaper = tokio::spawn(Arc::clone(&logins).reap());
        Ok(Self {
            settings,
            daemon,
            logins,
            known,
            service,
            candidate,
            refused,
            stop,
            tasks: Mutex::new(vec![observer, reaper]),
        })
    }

    async fn login(&self, login: patchbay_sdk::Login) -> Result<NicosSession, Fault> {
        let account = match login.vouched {
            Some(_) => self.service.clone().ok_or_else(no_service)?,
            None => Account {
                user: login.user,
                secret: login.secret,
            },
        };
        let lease = self.logins.enter(account.clone(), login.session).await?;
        if self.settings.observer.is_none() {
            let refused = *self.refused.borrow();
            offer(&self.candidate, &account, refused);
        }
        // The first script of the first client is to be heard from its beginning.
        let limit = self.settings.connect_deadline;
        let _ = timeout(limit, self.known.tried_reading()).await;
        tracing::debug!(
            user = account.user,
            session = login.session,
            level = lease.login().user_level(),
            "logged in"
        );
        let (settings, known) = (Arc::clone(&self.settings), Arc::clone(&self.known));
        let known_to_nicos = || {
            let login = lease.login();
            settings.roles.of(login.user(), login.user_level())
        };
        let role = login.vouched.unwrap_or_else(known_to_nicos);
        Ok(NicosSession {
            role,
            lease: Mutex::new(Some(Arc::new(lease))),
            settings,
            known,
        })
    }

    async fn stop(&self) {
        self.stop.send_replace(true);
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        // The reaper would run for ever; the observer ends with a farewell.
        if let Some(reaper) = tasks.pop() {
            reaper.abort();
        }
        let farewell = async {
            self.daemon.close().await;
            for task in tasks {
                let _ = task.await;
            }
        };
        // A daemon that does not answer is not waited for.
        let _ = timeout(FAREWELL, farewell).await;
    }
}

fn observer(settings: &Settings) -> Result<Option<Account>, Fault> {
    let Some(observer) = &settings.observer else {
        return Ok(None);
    };
    Ok(Some(Account {
        user: observer.login.clone(),
        secret: observer.secret.resolve()?,
    }))
}

fn service(settings: &Settings) -> Result<Option<Account>, Fault> {
    let Some(service) = &settings.service else {
        return Ok(None);
    };
    Ok(Some(Account {
        user: service.login.clone(),
        secret: service.secret.resolve()?,
    }))
}

fn no_service() -> Fault {
    let message = "this NICOS lets nobody in on the gateway's word, because its configuration has no login for them; an \
                   operator has to set `service = { login = \"…\", secret = { file = \"…\" } }` in its [backend.config]";
    Fault::new(FaultKind::Unauthorized, message).side(Side::Gateway)
}

/// A client of a NICOS daemon.
pub struct NicosSession {
    /// Given back at logout; calls that are still under way keep it until they end.
    lease: Mutex<Option<Arc<Lease>>>,
    settings: Arc<Settings>,
    known: Arc<Known>,
    role: Role,
}

impl NicosSession {
    fn lease(&self) -> Option<Arc<Lease>> {
        self.lease
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn user_level(&self) -> i64 {
        self.lease().map_or(0, |lease| lease.login().user_level())
    }
}

impl BackendSession for NicosSession {
    fn role(&self) -> Role {
        self.role
    }

    fn detail(&self) -> Option<RawJson> {
        RawJson::new(&serde_json::json!({ "user_level": self.user_level() })).ok()
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        let lease = self
            .lease()
            .ok_or_else(|| Fault::new(FaultKind::Unauthorized, "this session has logged out"))?;
        // Whoever was let in may stop everything for as long as the session lasts.
        if lease.login().is_stale() && command.op != "emergency" {
            let message =
                "NICOS refuses this login by now, or has changed its rights; log in again";
            return Err(Fault::new(FaultKind::Unauthorized, message));
        }
        let scene = Scene {
            settings: &self.settings,
            login: lease.login(),
            known: &self.known,
            session: command.session,
        };
        ops::run(&scene, &command).await
    }

    async fn logout(&self) {
        self.lease
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

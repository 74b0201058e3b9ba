//! The plugin's face to the host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use patchbay_sdk::{
    Backend, BackendContext, BackendSession, Command, Fault, FaultKind, Login, Reply, Role, Secret,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::{Config, LoginPolicy};
use crate::observer::Observer;
use crate::ops::{self, Scene};
use crate::server::Server;

const FAREWELL: Duration = Duration::from_secs(2);

/// An RE Manager.
pub struct QueueServer {
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    observer: Mutex<Option<JoinHandle<()>>>,
}

impl Backend for QueueServer {
    type Config = Config;
    type Session = QueueServerSession;
    // The RE Manager has no passwords; the name goes into its `user`.
    const TAKES_THE_HOSTS_WORD: bool = true;

    async fn start(config: Config, cx: BackendContext) -> Result<Self, Fault> {
        let config = config.check()?;
        if config.login == LoginPolicy::Anyone {
            tracing::warn!(
                role = %config.anyone_role,
                "whoever asks is let in without a check (`login = \"anyone\"`)"
            );
        }
        let server = Server::new(config, cx);
        let (stop, stopped) = watch::channel(false);
        let observer = tokio::spawn(Observer::new(&server).run(stopped));
        Ok(Self {
            server,
            stop,
            observer: Mutex::new(Some(observer)),
        })
    }

    async fn login(&self, login: Login) -> Result<QueueServerSession, Fault> {
        let role = self.role(&login)?;
        tracing::debug!(user = login.user, session = login.session, %role, "logged in");
        Ok(QueueServerSession {
            server: Arc::clone(&self.server),
            user: login.user,
            role,
        })
    }

    async fn stop(&self) {
        self.stop.send_replace(true);
        let observer = self
            .observer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(observer) = observer {
            let _ = timeout(FAREWELL, observer).await;
        }
        self.server.control.close();
    }
}

impl QueueServer {
    fn role(&self, login: &Login) -> Result<Role, Fault> {
        if let Some(role) = login.vouched {
            return Ok(role);
        }
        let config = &self.server.config;
        let wrong = || Fault::new(FaultKind::Unauthorized, "wrong name or password");
        if let Some(user) = config.users.get(&login.user) {
            let secret: Secret = user.secret.resolve()?;
            return secret
                .matches(&login.secret)
                .then_some(user.role)
                .ok_or_else(wrong);
        }
        match config.login {
            LoginPolicy::Anyone => Ok(config.anyone_role),
            LoginPolicy::Refuse if config.users.is_empty() => Err(Fault::new(
                FaultKind::Unauthorized,
                "the RE Manager has no passwords, so this backend cannot check one: an operator has to list `users`, or to give \
                 the frontend another authority",
            )),
            // Somebody who is not listed learns no more than one with a wrong password.
            LoginPolicy::Refuse => Err(wrong()),
        }
    }
}

/// Somebody who is logged in.
pub struct QueueServerSession {
    server: Arc<Server>,
    user: String,
    role: Role,
}

impl BackendSession for QueueServerSession {
    fn role(&self) -> Role {
        self.role
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        let scene = Scene {
            server: &self.server,
            user: &self.user,
        };
        ops::run(&scene, &command).await
    }
}

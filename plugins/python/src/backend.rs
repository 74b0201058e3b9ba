//! The plugin's face to the host.

use std::sync::{Arc, Mutex, PoisonError};

use patchbay_sdk::{Backend, BackendContext, BackendSession, Command, Fault, Login, Reply, Role};
use tokio::task::JoinHandle;

use crate::board::Board;
use crate::clock::now;
use crate::config::{Config, Settings};
use crate::foreman::{Desk, Foreman};
use crate::ops::{self, Scene};
use crate::store::Store;
use crate::users::admit;

/// Runs Python scripts on this machine.
pub struct Python {
    shop: Arc<Shop>,
    foreman: Mutex<Option<JoinHandle<()>>>,
}

/// What all sessions work with.
struct Shop {
    settings: Arc<Settings>,
    board: Arc<Board>,
    store: Store,
    desk: Desk,
}

impl Backend for Python {
    type Config = Config;
    type Session = PythonSession;
    // Scripts run as the gateway's own user in any case; who may send them, the gateway may well know by itself.
    const TAKES_THE_HOSTS_WORD: bool = true;

    async fn start(config: Config, cx: BackendContext) -> Result<Self, Fault> {
        let settings = Arc::new(config.resolve()?);
        let folder = settings.folder.clone();
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder)).await;
        let store = opened.map_err(|_| no_disk())??;
        let board = Arc::new(Board::new(cx.clone(), settings.clone()));
        board.found(store.load(now()).await?);
        let (desk, foreman) = Foreman::new(settings.clone(), board.clone(), store.clone());
        let foreman = tokio::spawn(foreman.work(cx.stop()));
        let shop = Shop {
            settings,
            board,
            store,
            desk,
        };
        Ok(Python {
            shop: Arc::new(shop),
            foreman: Mutex::new(Some(foreman)),
        })
    }

    async fn login(&self, login: Login) -> Result<PythonSession, Fault> {
        let role = admit(&self.shop.settings, &login)?;
        tracing::debug!(user = login.user, session = login.session, %role, "logged in");
        Ok(PythonSession {
            shop: self.shop.clone(),
            user: login.user,
            role,
        })
    }

    async fn stop(&self) {
        let foreman = self
            .foreman
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(foreman) = foreman {
            // It has been told by the stop signal, and ends within its own limits.
            let _ = foreman.await;
        }
    }
}

fn no_disk() -> Fault {
    Fault::new(
        patchbay_sdk::FaultKind::Internal,
        "opening the queue on disk has panicked",
    )
}

/// A client.
pub struct PythonSession {
    shop: Arc<Shop>,
    user: String,
    role: Role,
}

impl BackendSession for PythonSession {
    fn role(&self) -> Role {
        self.role
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        let scene = Scene {
            settings: &self.shop.settings,
            board: &self.shop.board,
            store: &self.shop.store,
            desk: &self.shop.desk,
            user: &self.user,
        };
        ops::run(&scene, &command).await
    }
}

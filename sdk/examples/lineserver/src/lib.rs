//! A backend for the line server: a made-up script server that says one thing a line (`lineserver.py` tells how).
//!
//! `connection.rs` is the way to it, one task that owns the connection; `line.rs` is what goes over it; `board.rs` is what is
//! known of the jobs (`jobs.rs`), from which everybody is answered; `session.rs` is what clients may ask for.

mod board;
mod connection;
mod jobs;
mod line;
mod session;

use crate::board::Board;
use crate::connection::{Keeper, Server};
use crate::session::Somebody;
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Backend, BackendContext, Fault, FaultKind, Login, Role};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// A backend for the line server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the server is, `host:port`.
    pub address: String,
}

/// The way to the server, and what is known of it.
pub struct LineServer {
    server: Server,
    board: Arc<Board>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Backend for LineServer {
    type Config = Config;
    type Session = Somebody;

    async fn start(config: Config, cx: BackendContext) -> Result<Self, Fault> {
        let board = Arc::new(Board::new(cx.clone()));
        let (server, keeper) = Keeper::new(config.address, board.clone(), cx);
        Ok(LineServer {
            server,
            board,
            keeper: Mutex::new(Some(tokio::spawn(keeper.run()))),
        })
    }

    async fn login(&self, login: Login) -> Result<Somebody, Fault> {
        // A name with a space or a newline in it would be another line, or another name.
        let plain = |text: &str| !text.chars().any(char::is_control);
        let secret = login.secret.expose();
        if login.user.contains(' ') || !plain(&login.user) || !plain(secret) {
            return Err(line::wrong_login());
        }
        let line = format!("CHECK {} {secret}", login.user);
        // Nobody is logged in yet, so that it is certain that nothing was done.
        let lost = |fault: Fault| match fault.kind {
            FaultKind::UnknownOutcome => Fault::new(FaultKind::Unavailable, fault.message),
            _ => fault,
        };
        let role = self.server.ask(line, false).await.map_err(lost)?;
        let role = role.map_err(|_| line::wrong_login())?;
        Ok(Somebody {
            user: login.user,
            role: Role::from_name(&role).unwrap_or(Role::View),
            server: self.server.clone(),
            board: self.board.clone(),
        })
    }

    /// Waits for the task that owns the connection, which `Stop` has told already.
    async fn stop(&self) {
        if let Some(keeper) = self.keeper.lock().await.take() {
            // A panic in it has been logged.
            let _ = keeper.await;
        }
    }
}

patchbay_sdk::export!(backend = LineServer);

//! The login of clients that do not log in: old ones never do so again when only the gateway was restarted.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, Gateway, Secret, SecretSource, Session};
use serde::Deserialize;
use tokio::time::Instant;

use crate::client::ClientState;
use crate::member::Member;

/// So long after a failure the next client is told the same without another attempt.
const PAUSE: Duration = Duration::from_secs(1);

/// Who they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultLoginConfig {
    /// The user's name.
    pub user: String,
    /// The password; may be absent where the host has one for this user (`[[frontend.login]]`).
    pub secret: Option<SecretSource>,
}

/// Logs them in.
#[derive(Clone)]
pub struct DefaultLogin {
    config: DefaultLoginConfig,
    last_failure: Arc<Mutex<Option<Failure>>>,
}

struct Failure {
    /// When it was tried last.
    at: Instant,
    fault: Fault,
}

impl DefaultLogin {
    /// Has not been tried so far.
    pub fn new(config: DefaultLoginConfig) -> Self {
        Self {
            config,
            last_failure: Arc::default(),
        }
    }

    /// Who the client is; its session is made if there is none: once, however many requests want it.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub async fn member(&self, gateway: &Gateway, client: &ClientState) -> Result<Member, Fault> {
        let _turn = client.login_turn.lock().await;
        if let Some(member) = client.member() {
            return Ok(member);
        }
        self.may_try()?;
        let done = self.log_in(gateway, &client.reply_to).await;
        *self.failure() = done.as_ref().err().map(|fault| Failure {
            at: Instant::now(),
            fault: fault.clone(),
        });
        let session = done.map_err(|fault| self.told(fault))?;
        tracing::info!(
            client = client.reply_to,
            user = self.config.user,
            "a client that has not logged in gets the default login"
        );
        let member = Member {
            session,
            user: self.config.user.as_str().into(),
        };
        client.adopt(member.clone());
        Ok(member)
    }

    /// One client at a time tries what has failed, and seldom.
    fn may_try(&self) -> Result<(), Fault> {
        let mut failure = self.failure();
        let Some(last) = failure.as_mut() else {
            return Ok(());
        };
        if last.at.elapsed() < PAUSE {
            return Err(self.told(last.fault.clone()));
        }
        last.at = Instant::now();
        Ok(())
    }

    async fn log_in(&self, gateway: &Gateway, client: &str) -> Result<Session, Fault> {
        let secret = match &self.config.secret {
            Some(source) => source.resolve()?,
            None => Secret::new(""),
        };
        gateway.login(client, &self.config.user, secret).await
    }

    fn told(&self, fault: Fault) -> Fault {
        let message = format!(
            "you are not logged in at the gateway, and its login for such clients, `{}`, fails: {}",
            self.config.user, fault.message
        );
        Fault { message, ..fault }
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        self.last_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DefaultLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

//! The smallest backend there can be: it lets everybody in and answers with what it was asked.

use patchbay_sdk::model::find_op;
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Backend, BackendContext, BackendSession, Command, Fault, FaultKind, Login};
use patchbay_sdk::{Reply, Role};

/// Lets everybody in.
pub struct Echo {
    role: Role,
}

/// `[backend.config]` of an echo.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What everybody may do: `view`, `user`, `expert` or `admin`.
    #[serde(default = "everything")]
    role: Role,
}

fn everything() -> Role {
    Role::Admin
}

/// Answers with what it was asked.
pub struct EchoSession {
    role: Role,
}

impl Backend for Echo {
    type Config = Config;
    type Session = EchoSession;
    // There is no password to check.
    const TAKES_THE_HOSTS_WORD: bool = true;

    async fn start(config: Config, _cx: BackendContext) -> Result<Self, Fault> {
        Ok(Echo { role: config.role })
    }

    async fn login(&self, login: Login) -> Result<EchoSession, Fault> {
        tracing::info!(user = login.user, "logged in");
        Ok(EchoSession { role: self.role })
    }
}

impl BackendSession for EchoSession {
    fn role(&self) -> Role {
        self.role
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        match find_op(&command.op) {
            Some(_) => Ok(Reply::raw(command.args)),
            // A newer host may know operations that this plugin does not.
            None => {
                let text = format!("an echo does not know `{}`", command.op);
                Err(Fault::new(FaultKind::Unsupported, text))
            }
        }
    }
}

patchbay_sdk::export!(backend = Echo);

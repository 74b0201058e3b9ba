//! A backend that misbehaves on request, so that tests can see what that does to everybody else.
//!
//! Its configuration says how it starts and lets in; `eval` with one of the words of `Deed` as
//! its code says what it does next; `submit` with a tale as its code says what it tells of a job that is none.

#![forbid(unsafe_code)]
#![allow(clippy::panic, reason = "this is what it is for")]

mod deed;
mod end;
mod raw;
mod tale;

use deed::Deed;
use patchbay_sdk::model::find_op;
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Backend, BackendContext, BackendSession, Command, Fault, FaultKind, Login};
use patchbay_sdk::{Reply, Role};
use raw::Raw;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Misbehaves.
pub struct Rogue {
    config: Config,
    cx: BackendContext,
    raw: Arc<Raw>,
}

/// `[backend.config]` of a rogue.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How it starts.
    #[serde(default)]
    start: Manner,
    /// How it lets somebody in.
    #[serde(default)]
    login: Manner,
    /// How it lets somebody out.
    #[serde(default)]
    logout: Manner,
    /// How it stops.
    #[serde(default)]
    stop: Manner,
    /// Answers say that they come from here, and of which build, beside what was asked.
    #[serde(default)]
    mark: Option<String>,
    /// What `capabilities` say, whatever it can do.
    #[serde(default)]
    boasts: Option<serde_json::Value>,
}

/// Tests make other builds of the file by changing this in it.
const BUILD: &str = "build 0000";

/// How something is done.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Manner {
    /// As it should be.
    #[default]
    Well,
    /// With an error.
    Fail,
    /// With a panic.
    Panic,
    /// Never.
    Hang,
    /// Never, and nothing else either: it holds the instance's only thread.
    Block,
    /// With the end of the whole process.
    Abort,
}

impl Manner {
    async fn act(self, what: &str) -> Result<(), Fault> {
        match self {
            Manner::Well => Ok(()),
            Manner::Fail => Err(Fault::new(
                FaultKind::Unavailable,
                format!("{what} fails on request"),
            )),
            Manner::Panic => panic!("{what} panics on request"),
            Manner::Hang => std::future::pending().await,
            Manner::Block => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            Manner::Abort => std::process::abort(),
        }
    }
}

impl Backend for Rogue {
    type Config = Config;
    type Session = RogueSession;
    const TAKES_THE_HOSTS_WORD: bool = true;

    async fn start(config: Config, cx: BackendContext) -> Result<Self, Fault> {
        let raw = Arc::new(Raw::of(cx.instance()));
        config.start.act("start").await?;
        Ok(Rogue { config, cx, raw })
    }

    async fn login(&self, login: Login) -> Result<RogueSession, Fault> {
        self.config.login.act("login").await?;
        let role = Role::from_name(&login.user).unwrap_or(Role::Admin);
        Ok(RogueSession {
            role,
            logout: self.config.logout,
            mark: self.config.mark.clone(),
            boasts: self.config.boasts.clone(),
            cx: self.cx.clone(),
            raw: self.raw.clone(),
        })
    }

    async fn stop(&self) {
        // Its own failure to stop is what the host is tested with.
        let _ = self.config.stop.act("stop").await;
    }
}

/// Somebody who asks for misbehaviour. A user name that is a role's gets that role.
pub struct RogueSession {
    role: Role,
    logout: Manner,
    mark: Option<String>,
    boasts: Option<serde_json::Value>,
    cx: BackendContext,
    raw: Arc<Raw>,
}

#[derive(Deserialize)]
struct Eval {
    code: String,
}

impl BackendSession for RogueSession {
    fn role(&self) -> Role {
        self.role
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        if let (Some(mark), "status") = (&self.mark, command.op.as_str()) {
            let asked: serde_json::Value = command.args()?;
            return Reply::new(&serde_json::json!({ "by": mark, "build": BUILD, "asked": asked }));
        }
        match (command.op.as_str(), &self.boasts) {
            ("eval", _) => {}
            ("capabilities", Some(boasts)) => return Reply::new(boasts),
            ("submit", _) if tale::is_one(&command.args) => {
                return tale::tell(&command, &self.cx).await;
            }
            ("job", _) if tale::is_known(&command.args) => return tale::job(&command),
            (op, _) if find_op(op).is_none() => {
                let text = format!("a rogue does not know `{op}`");
                return Err(Fault::new(FaultKind::Unsupported, text));
            }
            _ => return Ok(Reply::raw(command.args)),
        }
        let Eval { code } = command.args()?;
        match Deed::read(&code) {
            Some(deed) => deed.act(command.id, &self.cx, &self.raw).await,
            None => Err(Fault::new(
                FaultKind::Invalid,
                format!("no such deed: {code}"),
            )),
        }
    }

    async fn logout(&self) {
        let _ = self.logout.act("logout").await;
    }
}

impl Drop for RogueSession {
    fn drop(&mut self) {
        if self.role == Role::Expert {
            panic!("an expert's session panics when it is dropped");
        }
    }
}

// As `patchbay_sdk::export!` does it, but for the function that opens an instance.
const _: () = {
    use patchbay_sdk::__private::{SDK_VERSION, patchbay_abi, schema_backend};
    patchbay_abi::place_manifest!("backend", SDK_VERSION);
    patchbay_abi::export_module!(schema_backend::<Rogue>, raw::open);
};

//! Looking at the daemon.

use std::time::Duration;

use patchbay_sdk::{Fault, FaultKind};
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::config::Settings;
use crate::jobs::Snapshot;
use crate::lane::{Answer, Lane, decode};
use crate::pickle::{Arg, encode};
use crate::shape::{self, Message, Request, Status, code};
use crate::verb::{self, Verb};

/// Names the daemon's process: another answer after a reconnect means that it was restarted. It changes nothing.
const IDENTITY: &str = "(__import__('os').getpid(), id(session))";

/// How long a command of the observer's may wait for its turn.
const TURN: Duration = Duration::from_secs(6);

/// Takes snapshots over the observer's lane.
pub(super) struct Looker<'a> {
    pub(super) settings: &'a Settings,
    pub(super) lane: &'a Lane,
}

impl Looker<'_> {
    /// A snapshot; `identity` is the daemon process of the last one, and is replaced if this one succeeds.
    pub(super) async fn look(&self, identity: &mut Option<String>) -> Result<Snapshot, Fault> {
        let process = self.process().await;
        let status = self.value(verb::GETSTATUS, Vec::new()).await?;
        let status: Status = shape::read("status", &status)?;
        let running = match status.status.0 {
            code::IDLE | code::IDLE_AFTER_FAILURE => None,
            _ => self.running(&status).await?,
        };
        // A daemon that does not say who it is, is not claimed to be another one.
        let before = process.and_then(|process| identity.replace(process));
        let restarted = before.is_some() && before != *identity;
        Ok(Snapshot {
            status: status.status,
            queue: status.requests,
            running,
            restarted,
        })
    }

    async fn process(&self) -> Option<String> {
        let args = vec![Arg::from(IDENTITY), Arg::Bool(false)];
        let identity = self.value(verb::EVAL, args).await.ok()?;
        Some(identity.get().to_owned())
    }

    /// The running script's id is only in the messages: each names the request that began last.
    async fn running(&self, status: &Status) -> Result<Option<Request>, Fault> {
        let messages = self.value(verb::GETMESSAGES, vec![Arg::Int(1)]).await?;
        let messages: Vec<Message> = shape::read("messages", &messages)?;
        let reqid = messages
            .into_iter()
            .next_back()
            .and_then(|message| message.5);
        Ok(reqid.filter(|id| shape::is_id(id)).map(|reqid| Request {
            reqid,
            name: status.scriptname.clone(),
            script: Some(status.script.clone()),
            ..Request::default()
        }))
    }

    async fn value(&self, verb: Verb, args: Vec<Arg>) -> Result<Box<RawValue>, Fault> {
        match self.ask(verb, args).await? {
            Answer::Value(payload) => decode(payload, &self.settings.limits)
                .await
                .map(|(json, _)| json),
            other => Err(Fault::new(
                FaultKind::Protocol,
                format!("NICOS answers `{}` with {other:?}", verb.name),
            )),
        }
    }

    async fn ask(&self, verb: Verb, args: Vec<Arg>) -> Result<Answer, Fault> {
        let deadline = Instant::now() + self.settings.reply_deadline + TURN;
        self.lane.call(verb, encode(args), deadline).await
    }
}

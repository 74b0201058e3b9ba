//! Looking at the daemon.

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

/// Takes snapshots over the observer's lane.
pub(super) struct Looker<'a> {
    pub(super) settings: &'a Settings,
    pub(super) lane: &'a Lane,
}

impl Looker<'_> {
    /// A snapshot; `identity` is the daemon process of the last one, and is replaced.
    pub(super) async fn look(&self, identity: &mut Option<String>) -> Result<Snapshot, Fault> {
        let restarted = self.is_another_process(identity).await;
        let status = self.value(verb::GETSTATUS, Vec::new()).await?;
        let status: Status = shape::read("status", &status)?;
        let running = match status.status.0 {
            code::IDLE | code::IDLE_AFTER_FAILURE => None,
            _ => self.running(&status).await?,
        };
        Ok(Snapshot {
            status: status.status,
            queue: status.requests,
            running,
            restarted,
        })
    }

    /// Whether the daemon gives a sign of life. It costs the daemon next to nothing.
    pub(super) async fn probe(&self) -> Result<(), Fault> {
        self.ask(verb::GETVERSION, Vec::new()).await.map(drop)
    }

    /// If the daemon does not say who it is, nothing is claimed.
    async fn is_another_process(&self, known: &mut Option<String>) -> bool {
        let identity = self
            .value(verb::EVAL, vec![Arg::from(IDENTITY), Arg::Bool(false)])
            .await;
        let Ok(identity) = identity else { return false };
        let before = known.replace(identity.get().to_owned());
        before.is_some_and(|before| before != identity.get())
    }

    /// The running script's id is only in the messages: each names the request that began last.
    async fn running(&self, status: &Status) -> Result<Option<Request>, Fault> {
        let messages = self.value(verb::GETMESSAGES, vec![Arg::Int(1)]).await?;
        let messages: Vec<Message> = shape::read("messages", &messages)?;
        let reqid = messages
            .into_iter()
            .next_back()
            .and_then(|message| message.5);
        Ok(reqid.filter(|id| !id.is_empty()).map(|reqid| Request {
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
        self.lane
            .call(
                verb,
                encode(args),
                Instant::now() + self.settings.reply_deadline,
            )
            .await
    }
}

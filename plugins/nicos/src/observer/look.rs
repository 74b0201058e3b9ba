//! Looking at the daemon.

use std::time::Duration;

use patchbay_sdk::{Fault, RawJson};
use tokio::time::Instant;

use crate::config::Settings;
use crate::jobs::Snapshot;
use crate::lane::{Answer, Decoded, Decoder, Lane};
use crate::pickle::{Arg, encode};
use crate::prompts::Asked;
use crate::refusal;
use crate::shape::{self, Message, Request, Status, code};
use crate::verb::{self, Verb};

/// Names the daemon's process: another answer after a reconnect means that it was restarted. It changes nothing.
const IDENTITY: &str = "(__import__('os').getpid(), id(session))";

/// The script that runs, or ran last: its id and who asked for it.
const CURRENT: &str =
    "(lambda s: (s.reqid, s.user.name))(session.daemon_device._controller.current_script)";

/// The prompt that a script waits at.
const PROMPT: &str = "getattr(session, '_user_prompt', None)";

/// How long a command of the observer's may wait for its turn.
const TURN: Duration = Duration::from_secs(6);

/// Takes snapshots over the observer's lane.
pub(super) struct Looker<'a> {
    pub(super) settings: &'a Settings,
    pub(super) lane: &'a Lane,
    pub(super) decoder: &'a Decoder,
}

/// What a look shows.
pub(super) struct Looked {
    pub(super) snapshot: Snapshot,
    /// What a script that is held may be waiting for.
    pub(super) prompt: Option<Asked>,
}

impl Looker<'_> {
    /// A snapshot; `identity` is the daemon process of the last one, and is replaced if this one succeeds.
    pub(super) async fn look(&self, identity: &mut Option<String>) -> Result<Looked, Fault> {
        let process = self.evaluate(IDENTITY).await;
        let status = self.status().await?;
        let state = status.status.0;
        let running = match state {
            code::IDLE | code::IDLE_AFTER_FAILURE => None,
            _ => self.running(&status).await?,
        };
        let prompt = match state {
            code::PAUSED => self.evaluate(PROMPT).await,
            _ => None,
        };
        // A daemon that does not say who it is, is not claimed to be another one.
        let process = process.map(|process| process.get().to_owned());
        let before = process.and_then(|process| identity.replace(process));
        let restarted = before.is_some() && before != *identity;
        Ok(Looked {
            snapshot: Snapshot {
                status: status.status,
                queue: status.requests,
                running,
                restarted,
            },
            prompt: prompt.and_then(|prompt| shape::read("prompt", &prompt).ok()),
        })
    }

    /// What it is doing.
    pub(super) async fn status(&self) -> Result<Status, Fault> {
        let status = self.value(verb::GETSTATUS, Vec::new()).await?.0;
        shape::read("status", &status)
    }

    /// The value of an expression, if it has one that can be sent.
    async fn evaluate(&self, expression: &str) -> Option<RawJson> {
        let args = vec![Arg::from(expression), Arg::Bool(false)];
        let (value, raised) = self.value(verb::EVAL, args).await.ok()?;
        raised.is_none().then_some(value)
    }

    async fn running(&self, status: &Status) -> Result<Option<Request>, Fault> {
        let current = self.evaluate(CURRENT).await;
        type Current = (String, Option<String>);
        let current = current.and_then(|current| shape::read::<Current>("script", &current).ok());
        let (reqid, user) = match current {
            Some((reqid, user)) => (Some(reqid), user),
            None => (self.last_started().await?, None),
        };
        Ok(reqid.filter(|id| shape::is_id(id)).map(|reqid| Request {
            reqid,
            user,
            name: status.scriptname.clone(),
            script: Some(status.script.clone()),
            ..Request::default()
        }))
    }

    /// Where a daemon does not let us see its script, the messages tell: each names the request that began last.
    async fn last_started(&self) -> Result<Option<String>, Fault> {
        let (messages, _) = self.value(verb::GETMESSAGES, vec![Arg::Int(1)]).await?;
        let messages: Vec<Message> = shape::read("messages", &messages)?;
        Ok(messages
            .into_iter()
            .next_back()
            .and_then(|message| message.5))
    }

    async fn value(&self, verb: Verb, args: Vec<Arg>) -> Result<Decoded, Fault> {
        match self.ask(verb, args).await? {
            Answer::Value(payload) => self.decoder.decode(payload).await,
            Answer::Done => Ok((RawJson::null(), None)),
            Answer::Refused(text) => Err(refusal::fault(verb, &text)),
        }
    }

    async fn ask(&self, verb: Verb, args: Vec<Arg>) -> Result<Answer, Fault> {
        let deadline = Instant::now() + self.settings.reply_deadline + TURN;
        self.lane.call(verb, encode(args), deadline).await
    }
}

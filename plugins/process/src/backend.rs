//! The plugin's face to the host.

use patchbay_child::{Child, Heard, Kind, Message, Question, head};
use patchbay_sdk::model::{Op, find_op};
use patchbay_sdk::{
    Backend, BackendContext, BackendSession, Command, Event, EventKind, Fault, FaultKind, Health,
    Login, RawJson, Reply, Role,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::admission::{Admission, Config};

/// A program that serves.
pub struct Process {
    child: Child,
    admission: Admission,
    cx: BackendContext,
}

/// A client.
pub struct ProcessSession {
    child: Child,
    session: u64,
    role: Role,
    detail: Option<RawJson>,
}

impl Backend for Process {
    type Config = Config;
    type Session = ProcessSession;
    // A program that checks passwords itself need not check those that others have checked.
    const TAKES_THE_HOSTS_WORD: bool = true;

    async fn start(config: Config, cx: BackendContext) -> Result<Self, Fault> {
        let (settings, admission) = config.resolve()?;
        let (child, heard) = Child::start(settings, cx.instance()).await?;
        tokio::spawn(listen(child.clone(), heard, cx.clone()));
        child.ready().await?;
        tokio::spawn(attend(child.clone(), cx.clone()));
        Ok(Process {
            child,
            admission,
            cx,
        })
    }

    async fn login(&self, login: Login) -> Result<ProcessSession, Fault> {
        let (most, secret) = self.admission.of(&login)?;
        let head = head::Login {
            session: login.session,
            user: login.user,
            client: login.client,
            vouched: most.map(|role| role.as_str().to_owned()),
        };
        let message = Message::new(Kind::LOGIN, 0, &head);
        let message = match secret {
            Some(secret) => message.secret(secret),
            None => message,
        };
        let reply = self.child.ask(message, Question::default()).await?;
        let role =
            granted(&reply, most).inspect_err(|_| take_back(self.child.clone(), login.session))?;
        tracing::debug!(user = head.user, session = head.session, %role, "logged in");
        let detail = (!reply.body.is_empty()).then(|| RawJson::vouched(reply.body));
        Ok(ProcessSession {
            child: self.child.clone(),
            session: login.session,
            role,
            detail,
        })
    }

    async fn stop(&self) {
        if !self.child.stop(self.cx.stop().leave_until()).await {
            self.cx.count("killed_at_stop", 1);
        }
    }
}

/// What the program lets somebody do; never more than the gateway does.
fn granted(reply: &Message, most: Option<Role>) -> Result<Role, Fault> {
    let head: head::Reply = reply.read_head().unwrap_or_default();
    let said = head.session.map(|session| session.role);
    let role = said
        .as_deref()
        .map(|name| Role::from_name(name).ok_or(name));
    match (role, most) {
        (Some(Err(name)), _) => {
            let text = format!("the program grants the role `{name}`, which does not exist");
            Err(Fault::new(FaultKind::Protocol, text))
        }
        (Some(Ok(role)), most) => Ok(most.map_or(role, |most| most.min(role))),
        (None, Some(most)) => Ok(most),
        (None, None) => {
            let text = "the program has let somebody in without saying what they may do (`session` in the head of its reply)";
            Err(Fault::new(FaultKind::Protocol, text))
        }
    }
}

/// Passes on what the program says by itself.
async fn listen(child: Child, mut heard: mpsc::Receiver<Heard>, cx: BackendContext) {
    while let Some(heard) = heard.recv().await {
        match heard {
            Heard::Health(health) => cx.health(health),
            Heard::Count(counter, add) => cx.count(&counter, add),
            Heard::Level(gauge, value) => cx.level(&gauge, value),
            Heard::Message(message) if message.kind == Kind::EVENT => emit(message, &child, &cx),
            Heard::Message(message) => {
                let kind = message.kind.name().unwrap_or("?").to_ascii_lowercase();
                tracing::warn!(
                    kind,
                    "the program says what a backend has no use for; ignored"
                );
                cx.count("messages_ignored", 1);
            }
        }
    }
}

fn emit(message: Message, child: &Child, cx: &BackendContext) {
    match message.read_head::<head::Event>() {
        Ok(head) => cx.emit(Event {
            kind: EventKind::from(head.kind.as_str()),
            job: head.job,
            session: head.session,
            body: RawJson::vouched(message.body),
            blobs: message.blobs.into_iter().collect(),
        }),
        Err(error) => {
            let error = child.mistake(&error);
            tracing::error!(
                error,
                "the program tells an event with a head that cannot be read; ignored"
            );
            cx.count("events_refused", 1);
        }
    }
}

/// Says so when the program is gone.
async fn attend(child: Child, cx: BackendContext) {
    let why = child.gone().await;
    if !child.is_stopping() {
        cx.health(Health::Down(why.message.clone()));
        cx.fail(why);
    }
}

impl BackendSession for ProcessSession {
    fn role(&self) -> Role {
        self.role
    }

    fn detail(&self) -> Option<RawJson> {
        self.detail.clone()
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        let op = find_op(&command.op);
        let question = Question {
            urgent: command.urgent,
            changes: op.is_none_or(|op| op.changes),
            emergency: op.is_some_and(Op::is_emergency),
        };
        let left = command.deadline.saturating_duration_since(Instant::now());
        let head = head::Call {
            session: command.session,
            op: command.op,
            deadline_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            urgent: command.urgent,
            reference: command.reference,
            ..head::Call::default()
        };
        let message = Message::new(Kind::CALL, 0, &head).body(command.args.get().to_owned());
        let reply = self.child.ask(message, question).await?;
        Ok(Reply {
            body: RawJson::vouched(reply.body),
            blobs: reply.blobs.into_iter().collect(),
        })
    }

    async fn logout(&self) {
        has_left(&self.child, self.session).await;
    }
}

async fn has_left(child: &Child, session: u64) {
    let message = Message::new(Kind::LOGOUT, 0, &head::Logout { session });
    if let Err(fault) = child.say(message).await {
        tracing::error!(%fault, session, "the program is not told of a logout");
    }
}

/// The program has let somebody in who does not come in: without this it would keep them for ever. Whoever waits for the
/// login may stop doing so, and this is said all the same.
fn take_back(child: Child, session: u64) {
    tokio::spawn(async move { has_left(&child, session).await });
}

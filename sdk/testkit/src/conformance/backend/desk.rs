//! How the scenes ask a backend.

use super::super::audit::{fault, value};
use super::super::life::Life;
use super::super::suite::{Hopeless, Unmet};
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Secret, head};
use patchbay_sdk::model::find_op;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How often the state is looked at that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Numbers of requests are the host's, and any will do: these are larger than what a `double` holds exactly.
static NEXT: AtomicU64 = AtomicU64::new((1 << 53) + 1);

/// Asks an instance, in the place of the host.
pub(super) struct Desk<'a> {
    pub(super) life: &'a Life,
}

/// A request that was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) id: u64,
    what: String,
    from: usize,
    taken: bool,
}

/// What a request comes to.
pub(super) type Answer = Result<Value, Fault>;

impl<'a> Desk<'a> {
    pub(super) fn new(life: &'a Life) -> Self {
        Desk { life }
    }

    /// A number that nothing has yet.
    pub(super) fn number() -> u64 {
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    fn send(&self, what: &str, id: u64, message: Message) -> Sent {
        let from = self.life.stage.len();
        self.life.asked.ask(id, what);
        let taken = self.life.deliver(message) == Delivery::Taken;
        let what = what.to_owned();
        Sent {
            id,
            what,
            from,
            taken,
        }
    }

    pub(super) fn send_login(
        &self,
        user: &str,
        password: &str,
        vouched: Option<&str>,
    ) -> (u64, Sent) {
        let (id, session) = (Self::number(), Self::number());
        let head = head::Login {
            session,
            user: user.to_owned(),
            client: "the conformance suite".to_owned(),
            vouched: vouched.map(str::to_owned),
        };
        let message = Message::new(Kind::LOGIN, id, &head).secret(Secret::new(password));
        (session, self.send("a login", id, message))
    }

    pub(super) fn send_call(&self, session: u64, op: &str, args: &Value) -> Sent {
        self.send_call_as(Self::number(), session, op, args.to_string())
    }

    pub(super) fn send_call_as(&self, id: u64, session: u64, op: &str, args: String) -> Sent {
        let head = head::Call {
            session,
            op: op.to_owned(),
            deadline_ms: u64::try_from(self.life.patience().as_millis()).unwrap_or(u64::MAX),
            urgent: find_op(op).is_some_and(|op| op.urgent),
            ..head::Call::default()
        };
        self.send(
            &format!("`{op}`"),
            id,
            Message::new(Kind::CALL, id, &head).body(args),
        )
    }

    pub(super) fn logout(&self, session: u64) {
        let head = head::Logout { session };
        self.life.deliver(Message::new(Kind::LOGOUT, 0, &head));
    }

    pub(super) fn cancel(&self, sent: &Sent) {
        self.life.deliver(Message::bare(Kind::CANCEL, sent.id));
    }

    /// The reply to a request.
    pub(super) async fn reply(&self, sent: &Sent) -> Result<Message, Unmet> {
        let patience = self.life.patience();
        if !sent.taken {
            return Err(Unmet::failed(format!("{} was not taken at all", sent.what)));
        }
        let reply = |message: &Message| {
            (message.kind == Kind::REPLY && message.id == sent.id).then(|| message.clone())
        };
        let reply = self.life.stage.find(sent.from, patience, reply).await;
        reply.ok_or_else(|| {
            Unmet::failed(format!(
                "{} was not answered within {patience:?}",
                sent.what
            ))
        })
    }

    pub(super) async fn answer(&self, sent: &Sent) -> Result<Answer, Unmet> {
        let reply = self.reply(sent).await?;
        Ok(match reply.read_head::<head::Reply>() {
            Ok(head::Reply { fault: None, .. }) => Ok(value(&reply)),
            Ok(head::Reply {
                fault: Some(fault), ..
            }) => Err(fault),
            Err(_) => Err(fault(&reply)),
        })
    }

    pub(super) async fn call(&self, session: u64, op: &str, args: Value) -> Result<Answer, Unmet> {
        self.answer(&self.send_call(session, op, &args)).await
    }

    /// As [`Desk::call`], for what must be done.
    pub(super) async fn done(&self, session: u64, op: &str, args: Value) -> Result<Value, Unmet> {
        let answer = self.call(session, op, args.clone()).await?;
        answer
            .map_err(|fault| Unmet::failed(format!("`{op}` {} was refused: {fault}", brief(&args))))
    }

    /// Logs in; what is refused for the moment is tried again.
    pub(super) async fn try_login(
        &self,
        user: &str,
        password: &str,
    ) -> Result<Result<(u64, head::Session), Fault>, Unmet> {
        let end = Instant::now() + self.life.patience();
        loop {
            let (session, sent) = self.send_login(user, password, None);
            let reply = self.reply(&sent).await?;
            let head: head::Reply = reply.read_head().map_err(|error| {
                Unmet::failed(format!("the answer to a login has a broken head: {error}"))
            })?;
            match (head.fault, head.session) {
                (Some(fault), _) if fault.retry && Instant::now() < end => {
                    tokio::time::sleep(LOOK_EVERY).await
                }
                (Some(fault), _) => return Ok(Err(fault)),
                (None, Some(granted)) => return Ok(Ok((session, granted))),
                (None, None) => {
                    return Err(Unmet::failed(
                        "the answer to a login has neither a session nor a fault",
                    ));
                }
            }
        }
    }

    /// Logs somebody in who has to be let in.
    pub(super) async fn enter(&self, user: &str, password: &str) -> Result<u64, Unmet> {
        let notes = self.life.notes();
        if notes.is_hopeless(Hopeless::Login) {
            return Err(Unmet::not_applicable("nobody gets in, see B1"));
        }
        let why = match self.try_login(user, password).await {
            Ok(Ok((session, _))) => {
                notes.has_entered();
                return Ok(session);
            }
            Ok(Err(fault)) => format!("{user} is not let in: {fault}"),
            Err(unmet) => unmet.why(),
        };
        Err(notes.not_let_in("B1", why))
    }

    /// Waits until the script server is there, where the status tells of that.
    pub(super) async fn linked(&self, session: u64) -> Result<(), Unmet> {
        let away = |status: &Answer| match status {
            Ok(status) => status["link"].is_string() && status["link"] != "up",
            Err(fault) => fault.kind == FaultKind::Unavailable,
        };
        let status = self.until(session, |status| !away(status)).await?;
        match away(&status) {
            true => Err(Unmet::failed(format!(
                "its server is not there: {status:?}"
            ))),
            false => Ok(()),
        }
    }

    /// Looks at the status until it is so, or patience has ended; gives the last one.
    pub(super) async fn until(
        &self,
        session: u64,
        is_so: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, Unmet> {
        let end = Instant::now() + self.life.patience();
        loop {
            let status = self.call(session, "status", json!({})).await?;
            if is_so(&status) || Instant::now() > end {
                return Ok(status);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The beginning of a value.
pub(super) fn brief(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > 200 {
        text.truncate(text.floor_char_boundary(200));
        text.push('…');
    }
    text
}

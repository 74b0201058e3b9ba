//! One call, from its beginning to its answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use futures_util::future::{BoxFuture, MaybeDone, maybe_done};
use patchbay_dialect_json::{Call, Form};
use patchbay_sdk::{Fault, FaultKind, RawJson, Reply, Session, by_size};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use crate::Shared;
use crate::outgoing::Outgoing;
use crate::places::Place;

/// Who asks.
#[derive(Clone)]
pub struct Client {
    /// As what they are logged in.
    pub session: Session,
    /// As whom they said they are; their keys are theirs alone.
    pub user: String,
}

/// A call that has not begun.
pub struct Order {
    /// Who asks.
    pub client: Client,
    /// How it is to be answered.
    pub form: Form,
    /// What for.
    pub call: Call,
    /// One of the connection's places for requests; until the answer is on its way. `None` if no answer is waited for.
    pub permit: Option<OwnedSemaphorePermit>,
    /// If it changes something, a place for that; until it is done, whether its client is there or not.
    pub change: Option<Place>,
}

/// A call that is under way, to be answered.
pub struct Errand {
    form: Form,
    work: Work,
    permit: Option<OwnedSemaphorePermit>,
}

type Outcome = Result<String, Fault>;
type Begun = Pin<Box<MaybeDone<BoxFuture<'static, Outcome>>>>;

enum Work {
    /// Ends when it is dropped, because the client is gone.
    Looks(Begun),
    /// Goes on in any case: half a submit helps nobody.
    Changes(JoinHandle<Outcome>),
}

impl Order {
    /// Sends the call to the host before anything else happens: so calls begin in the order in which this is called.
    pub async fn begin(self) -> Errand {
        let Order {
            client,
            form,
            call,
            permit,
            change,
        } = self;
        let changes = call.changes();
        let work: BoxFuture<'static, Outcome> = Box::pin(perform(client, form.clone(), call));
        let mut work = Box::pin(maybe_done(work));
        poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx).is_ready())).await;
        let work = match changes {
            false => Work::Looks(work),
            true => Work::Changes(tokio::spawn(async move {
                let done = outcome(work).await;
                drop(change);
                done
            })),
        };
        Errand { form, work, permit }
    }
}

impl Errand {
    /// Answers when it is done.
    pub async fn answer(self, shared: &Shared, outbox: &mpsc::Sender<Outgoing>) {
        let (changes, done) = match self.work {
            Work::Looks(work) => (false, outcome(work).await),
            Work::Changes(work) => (true, work.await.unwrap_or_else(|_| Err(broken()))),
        };
        let failed = done.as_ref().err().cloned();
        let answer = done.unwrap_or_else(|fault| self.form.failure(&fault));
        let outgoing = match shared.room.take(answer.len()) {
            Some(share) => Outgoing::Answer(answer, share),
            None => {
                let why = without_room(shared, answer.len(), changes, failed);
                Outgoing::short(self.form.failure(&why))
            }
        };
        if outbox.send(outgoing).await.is_err() {
            // The client is gone, and the connection counts what it is owed.
            if let Some(permit) = self.permit {
                permit.forget();
            }
        }
    }
}

async fn outcome(mut work: Begun) -> Outcome {
    work.as_mut().await;
    work.as_mut().take_output().unwrap_or_else(|| Err(broken()))
}

/// What is said in place of an answer for which there is no room. Only what looks may be asked for again.
fn without_room(shared: &Shared, length: usize, changes: bool, failed: Option<Fault>) -> Fault {
    shared.gateway.count("answers_without_room", 1);
    tracing::warn!(
        "there is no room for an answer of {length} bytes (limits.answer_bytes); its client is told so"
    );
    let longest = shared.room.longest();
    let why = match length > longest {
        true => format!("has more than {longest} bytes, half of limits.answer_bytes"),
        false => "has no room beside others that are not read yet (limits.answer_bytes)".into(),
    };
    match failed {
        Some(fault) => Fault {
            message: format!("it failed, and what is to be said of it {why}"),
            ..fault
        },
        None if changes => {
            let text = format!("it was carried out, but its answer {why}");
            Fault::new(FaultKind::TooLarge, text)
        }
        None if length > longest => Fault::new(FaultKind::TooLarge, format!("the answer {why}")),
        None => Fault::new(FaultKind::Busy, format!("the answer {why}")),
    }
}

fn broken() -> Fault {
    Fault::new(
        FaultKind::Internal,
        "the gateway failed at this request, see its log",
    )
}

async fn perform(client: Client, form: Form, call: Call) -> Result<String, Fault> {
    let Call {
        op,
        args,
        key,
        dialect,
        ..
    } = call;
    let session = match &form.id {
        // A text without its quotation marks, which nobody would look for.
        Some(id) => client.session.named(id.get().trim_matches('"')),
        None => client.session.clone(),
    };
    let reply = ask(&session, &client.user, &op, args, key).await?;
    let length = reply.body.get().len();
    let shape = move || match dialect {
        Some(dialect) => dialect.reply(&reply.body).map(|body| form.success(&body)),
        None => Ok(form.success(&reply.body)),
    };
    by_size(length, shape).await?
}

async fn ask(
    session: &Session,
    user: &str,
    op: &str,
    args: RawJson,
    key: Option<String>,
) -> Result<Reply, Fault> {
    let Some(key) = key else {
        return session.call(op, args).await;
    };
    let key = json!([user, key]).to_string();
    session.call_once(op, args, &key).await
}

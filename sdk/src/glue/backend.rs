//! A backend's side of the boundary.

use super::contain::{contain, drop_contained};
use super::report::{Depth, report};
use super::runtime::{Runtime, stop_deadline};
use super::{read_config, send_failed, shorten};
use crate::{Backend, BackendContext, BackendSession, Command, Login, Reply, Role};
use patchbay_abi::module::{Opened, Text};
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, Secret, head};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::{Instrument, Span};

/// Opens an instance of a backend.
pub extern "C" fn open_backend<B: Backend>(instance: Text, host: Port) -> Opened {
    let opened = std::panic::catch_unwind(|| BackendSide::<B>::open(instance.as_str(), host));
    match opened {
        Ok(Ok(port)) => Opened::ROk(port),
        Ok(Err(error)) => Opened::RErr(error.to_string().into()),
        Err(_) => Opened::RErr("the plugin panicked while it was opened".into()),
    }
}

/// Takes the host's messages; all else happens in tasks on the instance's runtime.
struct BackendSide<B: Backend> {
    runtime: Arc<Runtime>,
    shared: Arc<Shared<B>>,
    inbox: mpsc::Sender<Command>,
}

struct Shared<B: Backend> {
    instance: String,
    host: Port,
    backend: Mutex<Option<Arc<B>>>,
    sessions: Mutex<HashMap<u64, Arc<B::Session>>>,
    /// What the host waits for, by its number: `None` until its task is known.
    asked: Mutex<HashMap<u64, Option<AbortHandle>>>,
}

/// Calls that wait for their turn to begin; the host has fewer under way than this.
const INBOX: usize = 1 << 16;

impl<B: Backend> BackendSide<B> {
    fn open(instance: &str, host: Port) -> std::io::Result<Port> {
        let shared = Arc::new(Shared::<B> {
            instance: instance.to_owned(),
            host: host.clone(),
            backend: Mutex::default(),
            sessions: Mutex::default(),
            asked: Mutex::default(),
        });
        let of_author = shared.clone();
        let runtime = Runtime::start(instance, &host, move || of_author.drop_authors())?;
        let (inbox, calls) = mpsc::channel(INBOX);
        runtime.handle.spawn(begin_in_order(shared.clone(), calls));
        runtime.handle.spawn(report_inbox(host, inbox.downgrade()));
        Ok(Port::new(BackendSide {
            runtime,
            shared,
            inbox,
        }))
    }

    fn start(&self, message: Message) {
        self.runtime.set_level(&message);
        let (shared, stop) = (self.shared.clone(), self.runtime.stop_signal());
        let counts = self.runtime.counts.clone();
        self.runtime.handle.spawn(async move {
            let (instance, host) = (shared.instance.clone(), shared.host.clone());
            let cx = BackendContext::new(instance, host, counts.clone(), stop);
            match shared.start(message, cx).await {
                Ok(()) => drop(shared.host.deliver(Message::bare(Kind::READY, 0))),
                Err(fault) => send_failed(&shared.host, &counts, fault),
            }
        });
    }

    fn stop(&self, message: &Message) {
        self.runtime.ask_to_stop(message);
        let deadline = stop_deadline(message);
        let (shared, runtime) = (self.shared.clone(), self.runtime.clone());
        self.runtime.handle.spawn(async move {
            let stopped = async {
                if let Ok(backend) = shared.started() {
                    // A panic has been logged by the hook, and it has ended all the same.
                    let _ = contain("stop", backend.stop()).await;
                }
            };
            let stopped = tokio::time::timeout(deadline, stopped).await;
            shared.owe_nothing();
            match stopped {
                Ok(()) => runtime.finish_stopped(),
                Err(_) => {
                    send_failed(&shared.host, &runtime.counts, unstopped(deadline));
                    runtime.finish();
                }
            }
        });
    }

    fn login(&self, message: Message) {
        let (shared, id) = (self.shared.clone(), message.id);
        answer(&self.shared, &self.runtime.handle, id, async move {
            shared.login(message).await
        });
    }

    /// Calls begin in the order in which the host sends them, whichever thread it sends them from;
    /// urgent ones at once.
    fn call(&self, message: &Message) -> Delivery {
        match Command::read(message) {
            Ok(command) if command.urgent => begin(&self.shared, &self.runtime.handle, command),
            Ok(command) => {
                lock(&self.shared.asked).insert(message.id, None);
                if self.inbox.try_send(command).is_err() {
                    lock(&self.shared.asked).remove(&message.id);
                    return Delivery::Refused;
                }
            }
            Err(_) => return Delivery::Refused,
        }
        Delivery::Taken
    }

    fn logout(&self, message: &Message) {
        let Ok(head::Logout { session }) = message.read_head() else {
            return;
        };
        let session = lock(&self.shared.sessions).remove(&session);
        self.runtime.handle.spawn(async move {
            if let Some(session) = session {
                // A panic has been logged by the hook; there is nobody to tell.
                let _ = contain("logout", session.logout()).await;
                drop_contained(session);
            }
        });
    }

    fn cancel(&self, id: u64) {
        let task = lock(&self.shared.asked).remove(&id);
        if let Some(Some(task)) = task {
            task.abort();
        }
    }
}

impl<B: Backend> Deliver for BackendSide<B> {
    fn deliver(&self, message: Message) -> Delivery {
        match message.kind {
            Kind::START => self.start(message),
            Kind::STOP => self.stop(&message),
            Kind::LEVEL => self.runtime.set_level(&message),
            Kind::LOGIN => self.login(message),
            Kind::LOGOUT => self.logout(&message),
            Kind::CALL => return self.call(&message),
            Kind::CANCEL => self.cancel(message.id),
            Kind::PING => self.runtime.answer_ping(&self.shared.host, &message),
            _ => {}
        }
        Delivery::Taken
    }
}

impl<B: Backend> Drop for BackendSide<B> {
    /// The host has let go, perhaps without a `STOP`.
    fn drop(&mut self) {
        self.runtime.finish();
    }
}

impl<B: Backend> Shared<B> {
    async fn start(&self, message: Message, cx: BackendContext) -> Result<(), Fault> {
        let config = read_config::<B::Config>(message).await?;
        let backend = contain("start", B::start(config, cx)).await??;
        *lock(&self.backend) = Some(Arc::new(backend));
        Ok(())
    }

    /// What is not answered by now the host answers: it knows what each request was about.
    fn owe_nothing(&self) {
        lock(&self.asked).clear();
    }

    fn started(&self) -> Result<Arc<B>, Fault> {
        let not_yet = || Fault::new(FaultKind::Unavailable, "the backend has not started yet");
        lock(&self.backend).clone().ok_or_else(not_yet)
    }

    /// Drops what is the author's, on the instance's own thread, when all its tasks are gone.
    fn drop_authors(&self) {
        let sessions = std::mem::take(&mut *lock(&self.sessions));
        sessions.into_values().for_each(drop_contained);
        drop_contained(lock(&self.backend).take());
    }

    async fn login(&self, message: Message) -> Result<Message, Fault> {
        let head: head::Login = message.read_head().map_err(broken)?;
        if head.vouched.is_some() && !B::TAKES_THE_HOSTS_WORD {
            return Err(no_word());
        }
        let login = Login {
            vouched: head.vouched.as_deref().and_then(Role::from_name),
            user: head.user,
            secret: message
                .secret
                .into_option()
                .unwrap_or_else(|| Secret::new("")),
            session: head.session,
            client: head.client,
        };
        let backend = self.started()?;
        let session = contain("login", backend.login(login)).await??;
        let role = session.role().as_str().to_owned();
        let detail = session.detail();
        lock(&self.sessions).insert(head.session, Arc::new(session));
        let granted = head::Session {
            session: head.session,
            role,
        };
        let head = head::Reply {
            fault: None,
            session: Some(granted),
            ..head::Reply::default()
        };
        let reply = Message::new(Kind::REPLY, message.id, &head);
        Ok(match detail {
            Some(detail) => reply.body(detail.into_buffer()),
            None => reply,
        })
    }

    async fn call(&self, command: Command) -> Result<Reply, Fault> {
        let session = lock(&self.sessions).get(&command.session).cloned();
        let session = session.ok_or_else(|| {
            Fault::new(
                FaultKind::Unauthorized,
                "this session is not logged in at the backend",
            )
        })?;
        let what = format!("`{}`", command.op);
        let span = span_of(&command);
        let call = async {
            tracing::debug!("begun");
            session.call(command).await
        };
        contain(&what, call.instrument(span)).await?
    }
}

/// What the author logs in a call carries the request's number.
fn span_of(command: &Command) -> Span {
    let (request, session, op) = (command.id, command.session, command.op.as_str());
    match command.reference.as_deref() {
        Some(reference) => tracing::error_span!("call", request, session, op, reference),
        None => tracing::error_span!("call", request, session, op),
    }
}

/// A panic elsewhere leaves these maps whole: they are only inserted into and removed from.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn no_word() -> Fault {
    let text = "this backend checks passwords itself, and gets none of clients that another backend has let in; route \
                their frontend back, or let them in through a frontend whose `backend` this is";
    Fault::new(FaultKind::Unauthorized, text)
}

fn unstopped(deadline: Duration) -> Fault {
    Fault::new(
        FaultKind::Timeout,
        format!("it did not stop within {deadline:?}"),
    )
}

fn broken(error: serde_json::Error) -> Fault {
    Fault::new(
        FaultKind::Internal,
        format!("a broken message from the host: {error}"),
    )
}

/// Tells how many calls wait for their turn.
async fn report_inbox(host: Port, inbox: mpsc::WeakSender<Command>) {
    let mut depth = Depth::default();
    let look = || {
        let inbox = inbox.upgrade()?;
        let waiting = inbox.max_capacity() - inbox.capacity();
        Some(depth.changed("inbox_depth", waiting).into_iter().collect())
    };
    report(host, look).await;
}

/// Begins what waits, in its order; what was cancelled meanwhile is left out.
async fn begin_in_order<B: Backend>(shared: Arc<Shared<B>>, mut calls: mpsc::Receiver<Command>) {
    let handle = Handle::current();
    while let Some(command) = calls.recv().await {
        let awaited = lock(&shared.asked).contains_key(&command.id);
        if awaited {
            begin(&shared, &handle, command);
        }
    }
}

fn begin<B: Backend>(shared: &Arc<Shared<B>>, handle: &Handle, command: Command) {
    let (id, of_task) = (command.id, shared.clone());
    answer(shared, handle, id, async move {
        let reply = of_task.call(command).await?;
        Ok(Message::new(Kind::REPLY, id, &head::Reply::default())
            .body(reply.body.into_buffer())
            .blobs(reply.blobs))
    });
}

/// Answers a request by what `answer` comes to, or says that it never will.
fn answer<B: Backend>(
    shared: &Arc<Shared<B>>,
    handle: &Handle,
    id: u64,
    answer: impl Future<Output = Result<Message, Fault>> + Send + 'static,
) {
    lock(&shared.asked).insert(id, None);
    let owed = Owed {
        shared: shared.clone(),
        id,
    };
    let task = handle.spawn(async move { owed.pay(answer.await) });
    // Not locked while spawning: a runtime that is gone drops the task, and what is owed, at once.
    match lock(&shared.asked).get_mut(&id) {
        Some(known) => *known = Some(task.abort_handle()),
        None => task.abort(),
    }
}

/// A reply that the host waits for. If the task goes without one, the host learns that; unless it
/// was the host that cancelled it.
struct Owed<B: Backend> {
    shared: Arc<Shared<B>>,
    id: u64,
}

impl<B: Backend> Owed<B> {
    fn pay(&self, answer: Result<Message, Fault>) {
        let awaited = lock(&self.shared.asked).remove(&self.id).is_some();
        if awaited {
            self.shared.host.deliver(answer.unwrap_or_else(|mut fault| {
                shorten(&mut fault.message);
                let fault = Some(fault);
                let head = head::Reply {
                    fault,
                    session: None,
                    ..head::Reply::default()
                };
                Message::new(Kind::REPLY, self.id, &head)
            }));
        }
    }
}

impl<B: Backend> Drop for Owed<B> {
    fn drop(&mut self) {
        let why = "the backend ended meanwhile; the request may or may not have been carried out";
        self.pay(Err(Fault::new(FaultKind::UnknownOutcome, why)));
    }
}

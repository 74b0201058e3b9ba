//! What a backend is.

use crate::counts::Counts;
use crate::glue::send_failed;
use crate::{Command, Configuration, Event, Health, RawJson, Reply, Role, Stop};
use patchbay_abi::{Fault, Kind, Message, Port, Secret, head};
use std::future::Future;
use std::sync::Arc;

/// Speaks to a script server. One value of it serves one instance of the configuration.
///
/// ```
/// use patchbay_sdk::schemars::{self, JsonSchema};
/// use patchbay_sdk::{Backend, BackendContext, BackendSession, Command, Fault, Login, Reply, Role};
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     /// What it greets with.
///     greeting: String,
/// }
///
/// struct Greeter(String);
/// struct Guest(String);
///
/// impl Backend for Greeter {
///     type Config = Config;
///     type Session = Guest;
///
///     async fn start(config: Config, _: BackendContext) -> Result<Self, Fault> {
///         Ok(Greeter(config.greeting))
///     }
///
///     async fn login(&self, login: Login) -> Result<Guest, Fault> {
///         Ok(Guest(format!("{}, {}", self.0, login.user)))
///     }
/// }
///
/// impl BackendSession for Guest {
///     fn role(&self) -> Role {
///         Role::View
///     }
///
///     async fn call(&self, _: Command) -> Result<Reply, Fault> {
///         Reply::new(&self.0)
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use patchbay_testkit::{BackendHost, Wire};
/// # use serde_json::json;
/// # let host = BackendHost::start::<Greeter>(json!({ "greeting": "hello" }), Wire::InProcess).await.unwrap();
/// # let anna = host.login("anna", "").await.unwrap();
/// # assert_eq!(anna.call("banner", json!({})).await.unwrap(), "hello, anna");
/// # host.stop().await;
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no backend",
    label = "is no `patchbay_sdk::Backend`",
    note = "implement `patchbay_sdk::Backend` for it: `start` and `login`",
    note = "is it a frontend, which speaks to clients? Then say `export!(frontend = {Self})`"
)]
pub trait Backend: Send + Sync + Sized + 'static {
    /// The instance's part of the configuration file. Derive `Deserialize` and `JsonSchema`, deny
    /// unknown fields, and document each field: its comment is what operators read.
    type Config: Configuration;
    /// Somebody who is logged in.
    type Session: BackendSession;

    /// Whether it lets people in on the host's word ([`Login::vouched`]): needed where clients whose
    /// password another backend has checked are routed to this one while running. A backend whose
    /// server wants the password itself cannot; the default.
    const TAKES_THE_HOSTS_WORD: bool = false;

    /// Begins. Returns soon; a server that is not there is no failure but [`Health::Down`], and is
    /// waited for in the background.
    fn start(
        config: Self::Config,
        cx: BackendContext,
    ) -> impl Future<Output = Result<Self, Fault>> + Send;

    /// Lets somebody in, or says `Unauthorized`.
    fn login(&self, login: Login) -> impl Future<Output = Result<Self::Session, Fault>> + Send;

    /// Ends: says farewell to the server. The host waits for it until its shutdown deadline.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Somebody who is logged in at a backend.
///
/// ```
/// use patchbay_sdk::{BackendSession, Command, Fault, FaultKind, Reply, Role};
///
/// struct Guest;
///
/// impl BackendSession for Guest {
///     fn role(&self) -> Role {
///         Role::View
///     }
///
///     async fn call(&self, command: Command) -> Result<Reply, Fault> {
///         match command.op.as_str() {
///             "banner" => Reply::new(&serde_json::json!({ "server": "toy", "version": "1" })),
///             op => Err(Fault::new(FaultKind::Unsupported, format!("a toy cannot `{op}`"))),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no session of a backend",
    label = "is no `patchbay_sdk::BackendSession`",
    note = "implement `patchbay_sdk::BackendSession` for it: `role` and `call`"
)]
pub trait BackendSession: Send + Sync + 'static {
    /// What the server lets them do.
    fn role(&self) -> Role;

    /// What the server said of them, for dialects that show it.
    fn detail(&self) -> Option<RawJson> {
        None
    }

    /// Does what is asked. Calls run concurrently; a backend whose server wants one after the other
    /// queues them, with a bound, and urgent ones elsewhere.
    ///
    /// `status` and `log` must not depend on who asks: the host keeps their answers for a moment and
    /// gives them to others. An event that changes one is emitted when the backend would answer
    /// accordingly, not before.
    fn call(&self, command: Command) -> impl Future<Output = Result<Reply, Fault>> + Send;

    /// Says farewell for them.
    fn logout(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Who wants to log in.
///
/// ```
/// # use patchbay_sdk::{Login, Secret};
/// fn line(login: &Login) -> String {
///     // `expose` stands where it is sent, and nowhere else.
///     format!("LOGIN {} {}\n", login.user, login.secret.expose())
/// }
/// # let login = Login {
/// #     user: "anna".into(), secret: Secret::new("s3cret"), vouched: None, session: 7, client: "here".into(),
/// # };
/// assert_eq!(line(&login), "LOGIN anna s3cret\n");
/// assert!(!format!("{login:?}").contains("s3cret"));
/// ```
#[derive(Debug, Clone)]
pub struct Login {
    /// Their name.
    pub user: String,
    /// Their password; empty if the host vouches for them.
    pub secret: Secret,
    /// The host knows who this is, and that they may do this much. Only if
    /// [`Backend::TAKES_THE_HOSTS_WORD`].
    pub vouched: Option<Role>,
    /// The session to be, as it stands in the logs.
    pub session: u64,
    /// Where they are, for logs.
    pub client: String,
}

/// A backend's way to the host. Clones lead to the same.
///
/// ```
/// use patchbay_sdk::{BackendContext, Event, EventKind, Fault, Health};
///
/// fn connected(cx: &BackendContext) -> Result<(), Fault> {
///     tracing::info!(instance = cx.instance(), "connected");
///     cx.health(Health::Up);
///     cx.count("connections", 1);
///     cx.emit(Event::new(EventKind::Link, &serde_json::json!({ "link": "up" }))?);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct BackendContext {
    inner: Arc<Inner>,
}

struct Inner {
    instance: String,
    host: Port,
    counts: Arc<Counts>,
    stop: Stop,
}

impl BackendContext {
    pub(crate) fn new(instance: String, host: Port, counts: Arc<Counts>, stop: Stop) -> Self {
        let inner = Inner {
            instance,
            host,
            counts,
            stop,
        };
        BackendContext {
            inner: Arc::new(inner),
        }
    }

    /// The instance's name in the configuration.
    pub fn instance(&self) -> &str {
        &self.inner.instance
    }

    /// Tells everybody; never waits. What the host does not take, because it is too large or there are too many in a
    /// second, is counted and logged by it; those who read learn of it as a gap.
    pub fn emit(&self, event: Event) {
        self.inner.host.deliver(event.into_message());
    }

    /// Says how the instance is; say it whenever it changes.
    pub fn health(&self, health: Health) {
        self.inner.host.deliver(health.into_message());
    }

    /// Gives up: the instance cannot go on. The host ends it and starts it anew after a while. Not
    /// for a server that is down: that is [`Health::Down`], and trying again.
    ///
    /// ```
    /// # use patchbay_sdk::{BackendContext, Fault, FaultKind};
    /// fn has_died(cx: &BackendContext, worker: std::process::ExitStatus) {
    ///     let why = format!("the worker has ended by itself: {worker}");
    ///     cx.fail(Fault::new(FaultKind::Internal, why));
    /// }
    /// ```
    pub fn fail(&self, fault: Fault) {
        send_failed(&self.inner.host, &self.inner.counts, fault);
    }

    /// Adds to a counter that operators see; they do within a second. What is added to `events_dropped` is also told to
    /// whoever reads this backend's events: that they have missed as many.
    pub fn count(&self, counter: &str, add: u64) {
        self.inner.counts.add(counter, add);
    }

    /// Says how much there is of something now, for operators: clients, what waits, the memory that the
    /// plugin knows to be its own (`memory_bytes`).
    pub fn level(&self, gauge: &str, value: i64) {
        let head = head::Metric::level(gauge, value);
        self.inner
            .host
            .deliver(Message::new(Kind::METRIC, 0, &head));
    }

    /// When to end.
    pub fn stop(&self) -> Stop {
        self.inner.stop.clone()
    }
}

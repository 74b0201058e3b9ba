//! The way of a request, and of an event.
//!
//! The host does its part on the thread of whoever speaks, inside `deliver`: a frontend's request
//! is checked, entered into the table of pending requests under the host's own number and handed to
//! the backend (`call`); the backend's reply finds its way back through the same table
//! (`answer`). Logins go the same way, with the principal in place of what the client sent
//! (`login`), or first to the host's own list of users (`users`). A request that is to be carried out once at the
//! most takes a detour over the disk, on a thread of its own (`once`, `clerk`). What was answered last to a look is
//! kept, and shown to whoever looks next (`snapshot`). At the deadline the host answers in the backend's place (`sweep`). Events are
//! numbered and kept per backend, and handed out against credit (`journal`).
//!
//! Two rules keep this free of deadlocks: nothing is delivered while the state is locked, and locks are taken in one
//! order only: changes of control, a journal, the state, who has control.

mod allowance;
mod answer;
mod call;
mod clerk;
mod control;
mod idle;
mod introduce;
mod journal;
mod kept;
mod levels;
mod life;
mod limit;
mod lines;
mod login;
mod once;
mod pace;
mod pending;
mod record;
mod reform;
mod reroute;
mod route;
mod seat;
mod session;
mod share;
mod side;
mod sight;
mod snapshot;
mod status;
mod stock;
mod sweep;
mod trip;
mod users;
mod verdict;
mod wish;

pub use control::Holder;
pub use kept::{BackendKept, KeptAnswer};
pub use levels::LevelStatus;
pub use life::{Build, LifeNote, Phase};
pub use route::{Authority, LoginRule, Route};
pub use seat::{Life, Seat};
pub use snapshot::Snapshots;
pub use status::{InstanceStatus, SessionStatus};
pub use wish::{Granted, Wish};

use crate::audit::Audit;
use crate::intents::Store;
use crate::metrics::Metrics;
use crate::trace::Tap;
use allowance::Allowance;
use arc_swap::ArcSwap;
use once::Desk;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, head};
use pending::{Origin, Pending, Request};
use session::Sessions;
use side::HostSide;
use snapshot::Shelf;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};

/// How much there may be, and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Sessions in all.
    pub sessions: usize,
    /// Requests in flight, in all.
    pub in_flight: usize,
    /// Requests in flight of one session.
    pub in_flight_per_session: usize,
    /// Logins in flight.
    pub logins_pending: usize,
    /// Logins a second by one frontend.
    pub logins_per_s: usize,
    /// Logins a second from one client's place at one frontend.
    pub logins_per_s_and_client: usize,
    /// Size of one request, reply or event, in bytes.
    pub body_bytes: usize,
    /// Of each of these, what one frontend of several may have, in percent.
    pub frontend_share: usize,
    /// Events of one backend in a second.
    pub events_per_second: u32,
    /// Log lines of one instance in a second.
    pub lines_per_second: u32,
    /// Until an operation is answered.
    pub request: Duration,
    /// Until an operation is answered that takes as long as the user's own code.
    pub long: Duration,
    /// Until a login is answered.
    pub login: Duration,
    /// What is kept of answers.
    pub snapshots: Snapshots,
}

/// Routes requests, replies and events between the instances.
pub struct Broker {
    limits: ArcSwap<Limits>,
    /// Told when the limits change.
    limited: Notify,
    metrics: Arc<Metrics>,
    /// Only ever added to: a position means the same instance for ever.
    seats: boxcar::Vec<Seat>,
    state: Mutex<State>,
    controls: control::Controls,
    pace: pace::Pace,
    /// Held while frontends are led elsewhere, so that one change of route is whole before the next.
    routing: Mutex<()>,
    /// Changes of route that wait until nothing is under way.
    waiting: idle::Waiting,
    intents: Desk,
    tap: Tap,
    audit: OnceLock<Audit>,
    /// Where logins wait that the host's own list of users decides, if there is one.
    checks: OnceLock<users::Queue>,
    /// Told when the sweeper has to come before its time.
    sooner: Notify,
}

#[derive(Default)]
struct State {
    sessions: Sessions,
    pending: Pending,
    /// Sessions to be logged out at backends, once the state is unlocked.
    farewells: Vec<(Place, u64)>,
    /// Emergency stops that gave way to newer ones, to be answered then.
    displaced: Vec<(u64, Request)>,
    /// What is kept of answers, by the backend's seat.
    shelves: HashMap<usize, Shelf>,
    /// When the sweeper comes next.
    sweep_at: Option<Instant>,
}

/// One life of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    seat: usize,
    epoch: u64,
}

impl Broker {
    /// A broker between these instances; routes refer to them by their position. What is to be
    /// carried out once is noted in `intents`, by a thread that ends with the broker.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(
        seats: Vec<Seat>,
        limits: Limits,
        metrics: Arc<Metrics>,
        intents: Store,
    ) -> std::io::Result<Arc<Self>> {
        let (desk, items) = Desk::new();
        let broker = Arc::new(Broker {
            limits: ArcSwap::from_pointee(limits),
            limited: Notify::new(),
            metrics,
            seats: seats.into_iter().collect(),
            state: Mutex::default(),
            controls: control::Controls::default(),
            pace: pace::Pace::default(),
            routing: Mutex::default(),
            waiting: idle::Waiting::default(),
            intents: desk,
            tap: Tap::default(),
            audit: OnceLock::new(),
            checks: OnceLock::new(),
            sooner: Notify::new(),
        });
        clerk::start(&broker, intents, items)?;
        Ok(broker)
    }

    /// All instances that there ever were, by position.
    pub fn seats(&self) -> &boxcar::Vec<Seat> {
        &self.seats
    }

    /// Those that the configuration has now: backends first.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, &Seat)> {
        let seats = || self.seats.iter().filter(|(_, seat)| !seat.is_retired());
        let backends = seats().filter(|(_, seat)| !seat.is_frontend());
        backends.chain(seats().filter(|(_, seat)| seat.is_frontend()))
    }

    fn limits(&self) -> arc_swap::Guard<Arc<Limits>> {
        self.limits.load()
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The host's side for a new life of an instance. What happens in it is told to `life`.
    pub fn side(self: &Arc<Self>, seat: usize, epoch: u64, life: mpsc::Sender<Life>) -> Port {
        let at = Place { seat, epoch };
        Port::new(HostSide {
            broker: self.clone(),
            at,
            life,
            events: Allowance::new(),
            lines: Allowance::new(),
        })
    }

    /// From now on the instance is spoken to through `port`.
    pub fn connect(&self, seat: usize, epoch: u64, port: Port) {
        self.metrics.add(self.seats[seat].id(), "starts", 1);
        self.seats[seat].connect(epoch, port);
        self.lock().shelves.entry(seat).or_default().begins(epoch);
        if let Some(journal) = self.seats[seat].journal() {
            self.telling(seat, |telling| journal.begin(epoch, telling));
            self.repeat_control(seat);
        }
    }

    /// Another life of the instance begins, and is spoken to when it takes over.
    pub fn prepare(&self, seat: usize, epoch: u64, port: Port) {
        self.metrics.add(self.seats[seat].id(), "starts", 1);
        self.seats[seat].prepare(epoch, port);
        if let Some(journal) = self.seats[seat].journal() {
            journal.prepare(epoch);
        }
    }

    /// That life takes over: whatever comes from now on goes to it. The one before is still spoken to
    /// by those who have something under way there, until it is disconnected.
    pub fn take_over(&self, seat: usize, epoch: u64) {
        if self.seats[seat].take_over(epoch)
            && let Some(journal) = self.seats[seat].journal()
        {
            self.lock().shelves.entry(seat).or_default().begins(epoch);
            self.telling(seat, |telling| journal.begin(epoch, telling));
            self.repeat_control(seat);
        }
    }

    /// Whether the instance owes answers in that life. When it has been left, it gets no more to
    /// answer once this says no.
    pub fn owes(&self, seat: usize, epoch: u64) -> bool {
        let at = Place { seat, epoch };
        self.lock().pending.owes(at)
    }

    /// The instance's life is over: nothing more is sent to it, and what it owes, or is owed, is
    /// settled.
    pub fn disconnect(&self, seat: usize, epoch: u64) {
        let port = self.seats[seat].disconnect(epoch);
        let gone = Place { seat, epoch };
        self.settle_debts_of(gone);
        self.lock().sessions.forget(gone);
        self.end_sessions_of(gone);
        for journal in self.seats.iter().filter_map(|(_, seat)| seat.journal()) {
            journal.unsubscribe(gone);
        }
        drop(port);
    }

    /// A panic elsewhere leaves the state whole: each change to it is a few inserts and removals.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_routes(&self) -> MutexGuard<'_, ()> {
        self.routing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, counter: &str) {
        self.metrics.add("host", counter, 1);
    }

    /// Tells a frontend why its request has no answer.
    fn refuse(&self, origin: Origin, fault: Fault) {
        self.refuse_numbered(origin, 0, fault);
    }

    /// And by which number its request stands in the logs.
    fn refuse_numbered(&self, origin: Origin, request: u64, fault: Fault) {
        let head = head::Reply {
            request,
            fault: Some(fault),
            session: None,
        };
        self.reply(origin, Message::new(Kind::REPLY, 0, &head));
    }

    /// Hands a reply to the frontend that asked; whether that was there to take it.
    fn reply(&self, origin: Origin, mut reply: Message) -> bool {
        reply.id = origin.id;
        let seat = &self.seats[origin.at.seat];
        let delivered = seat
            .port_in(origin.at.epoch)
            .map(|port| port.deliver(reply));
        let taken = delivered == Some(Delivery::Taken);
        if !taken {
            self.count("replies_undeliverable");
            tracing::debug!(
                instance = seat.id(),
                "a reply came too late: nobody waits for it"
            );
        }
        taken
    }

    fn unavailable(&self, seat: usize) -> Fault {
        let id = self.seats[seat].id();
        Fault::new(
            FaultKind::Unavailable,
            format!("the backend `{id}` is not running at present; try again in a moment"),
        )
    }
}

/// No head of a message is longer, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Whether a message's head, body and blobs are within their limits, and its body one JSON value
/// without raw newlines.
fn check(message: &Message, limit: usize) -> Result<(), Fault> {
    let (weight, body) = (message.weight() - message.head.len(), &message.body);
    if weight > limit {
        let text = format!("{weight} bytes are more than the limit of {limit} (max_body_bytes)");
        return Err(Fault::new(FaultKind::TooLarge, text));
    }
    let invalid = |why: String| Fault::new(FaultKind::Invalid, why);
    if message.head.len() > LONGEST_HEAD {
        return Err(invalid(format!("a head of more than {LONGEST_HEAD} bytes")));
    }
    if body.contains(&b'\n') || body.contains(&b'\r') {
        return Err(invalid("JSON with raw newlines".to_owned()));
    }
    let text = body
        .as_str()
        .map_err(|_| invalid("no JSON: not UTF-8".to_owned()))?;
    match text.is_empty() {
        true => Ok(()),
        false => serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map(|_| ())
            .map_err(|error| invalid(format!("no JSON: {error}"))),
    }
}

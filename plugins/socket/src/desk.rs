//! What is done for one connection: who is logged in there, and what becomes of each request.

use std::sync::Arc;

use patchbay_dialect_json::{Call, Form, Request, Since, Subscription, Wish};
use patchbay_sdk::{Fault, FaultKind, RawJson, Secret, Session};
use serde_json::json;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::Shared;
use crate::errand::{Client, Order};
use crate::feed::Membership;
use crate::outgoing::Outgoing;
use crate::places::Place;

/// One connection's requests.
///
/// Calls with an `id`, and urgent ones, are tasks of their own; those without go through one task, the lane, one after the
/// other. What takes no time is done when it is read, and answered in its turn.
pub struct Desk {
    shared: Arc<Shared>,
    /// Where the client is, for logs.
    from: String,
    outbox: mpsc::Sender<Outgoing>,
    /// Until somebody logs in for the first time.
    stranger: Option<Place>,
    client: Option<Client>,
    subscription: Option<Subscription>,
    /// While somebody who is logged in is subscribed.
    membership: Option<Membership>,
    wrong_logins: u32,
    ordinary: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
    lane: mpsc::Sender<Turn>,
    tasks: JoinSet<()>,
}

/// What waits in the lane.
enum Turn {
    Done(Outgoing),
    Order(Box<Order>),
}

impl Desk {
    /// Nobody is logged in yet.
    pub fn new(
        shared: Arc<Shared>,
        from: String,
        outbox: mpsc::Sender<Outgoing>,
        stranger: Place,
    ) -> Self {
        let most = shared.settings.limits.requests_per_connection;
        // Refusals wait for their turn as well.
        let (lane, turns) = mpsc::channel(2 * most);
        let mut tasks = JoinSet::new();
        tasks.spawn(one_by_one(turns, outbox.clone(), shared.clone()));
        Desk {
            shared,
            from,
            outbox,
            stranger: Some(stranger),
            client: None,
            subscription: None,
            membership: None,
            wrong_logins: 0,
            ordinary: Arc::new(Semaphore::new(most)),
            urgent: Arc::new(Semaphore::new(most)),
            lane,
            tasks,
        }
    }

    /// Whether somebody is logged in.
    pub fn is_known(&self) -> bool {
        self.client.is_some()
    }

    /// Whether the client has reason to be silent.
    pub fn is_waiting(&self) -> bool {
        self.subscription.is_some() || self.unanswered() > 0
    }

    /// How many requests are being done.
    pub fn unanswered(&self) -> usize {
        let most = self.shared.settings.limits.requests_per_connection;
        2 * most - self.ordinary.available_permits() - self.urgent.available_permits()
    }

    /// Takes a request. A login is decided before anything else is read.
    ///
    /// # Errors
    /// Why the connection is to be closed.
    pub async fn take(&mut self, request: Request) -> Result<(), Fault> {
        while self.tasks.try_join_next().is_some() {}
        self.shared.gateway.count("requests", 1);
        let Request { form, wish } = request;
        let waits = !matches!(&wish, Ok(Wish::Call(call)) if call.urgent());
        if waits && form.id.is_none() && self.lane.capacity() == 0 {
            self.refuse(&form, &self.too_many()).await;
            return Ok(());
        }
        match wish {
            Err(fault) => self.refuse(&form, &fault).await,
            Ok(Wish::Login { user, secret }) => return self.log_in(&form, user, secret).await,
            Ok(Wish::Nothing) => {
                self.done(&form, Outgoing::short(form.success(&RawJson::null())))
                    .await
            }
            Ok(Wish::Logout) => {
                self.client = None;
                self.leave(&form).await;
            }
            Ok(Wish::Unsubscribe) => self.leave(&form).await,
            Ok(Wish::Subscribe(what)) => self.subscribe(&form, what).await,
            Ok(Wish::Call(call)) => self.call(form, call).await,
        }
        Ok(())
    }

    /// A login that fails leaves everything as it was.
    async fn log_in(&mut self, form: &Form, user: String, secret: Secret) -> Result<(), Fault> {
        let granted = self.shared.gateway.login(&self.from, &user, secret).await;
        let answer = match &granted {
            Ok(session) => form.welcome(session),
            Err(fault) => form.failure(fault),
        };
        let wrong = granted
            .as_ref()
            .is_err_and(|fault| fault.kind == FaultKind::Unauthorized);
        if let Ok(session) = granted {
            self.welcome(session, user);
        }
        self.done(form, Outgoing::short(answer)).await;
        self.wrong_logins += u32::from(wrong);
        let most = self.shared.settings.limits.wrong_logins;
        if wrong && self.wrong_logins >= most {
            self.shared
                .gateway
                .count("connections_closed_after_wrong_logins", 1);
            tracing::warn!(
                from = self.from,
                "{most} wrong logins on one connection (limits.wrong_logins); it is closed"
            );
            return Err(Fault::new(
                FaultKind::Unauthorized,
                format!("{most} logins were wrong"),
            ));
        }
        Ok(())
    }

    fn welcome(&mut self, session: Session, user: String) {
        self.client = Some(Client { session, user });
        self.stranger = None;
        self.join();
    }

    /// Private events go with the session and with the subscription.
    fn join(&mut self) {
        self.membership = None;
        if let (Some(client), Some(what)) = (&self.client, &self.subscription) {
            let (session, to) = (client.session.id(), self.outbox.clone());
            self.membership = Some(self.shared.feed.join(session, to, what.clone()));
        }
    }

    async fn subscribe(&mut self, form: &Form, what: Subscription) {
        if self.client.is_none() {
            return self.refuse(form, &stranger()).await;
        }
        let seen: Since = what.since.unwrap_or_else(|| self.shared.feed.end());
        let answer = RawJson::new(&json!(seen)).map(|number| form.success(&number));
        let follower = self.shared.feed.follow(seen, what.clone());
        self.subscription = Some(what);
        self.join();
        match answer {
            Ok(answer) => self.done(form, Outgoing::Follow(answer, follower)).await,
            Err(fault) => self.refuse(form, &fault).await,
        }
    }

    async fn leave(&mut self, form: &Form) {
        self.subscription = None;
        self.membership = None;
        self.done(form, Outgoing::Leave(form.success(&RawJson::null())))
            .await;
    }

    async fn call(&mut self, form: Form, call: Call) {
        let Some(client) = self.client.clone() else {
            return self.refuse(&form, &stranger()).await;
        };
        let (permit, change) = match self.admit(&call) {
            Ok(places) => places,
            Err(_) if call.is_emergency() => return self.only_send(client, form, call).await,
            Err(fault) => return self.refuse(&form, &fault).await,
        };
        let in_turn = form.id.is_none() && !call.urgent();
        let order = Order {
            client,
            form,
            call,
            permit: Some(permit),
            change,
        };
        if in_turn {
            return self.queue(Turn::Order(Box::new(order))).await;
        }
        let (shared, outbox) = (self.shared.clone(), self.outbox.clone());
        let errand = order.begin().await;
        self.tasks
            .spawn(async move { errand.answer(&shared, &outbox).await });
    }

    /// No limit keeps an emergency stop from the host; only its answer has no place.
    async fn only_send(&mut self, client: Client, form: Form, call: Call) {
        let order = Order {
            client,
            form: form.clone(),
            call,
            permit: None,
            change: None,
        };
        drop(order.begin().await);
        let most = self.shared.settings.limits.requests_per_connection;
        let text = format!(
            "the emergency stop was sent; its answer is not waited for, because {most} requests of this connection are \
             not answered yet (limits.requests_per_connection)"
        );
        let fault = Fault::new(FaultKind::UnknownOutcome, text);
        self.refuse(&form, &fault).await;
    }

    /// The places that a call takes up: one of the connection's, and one of those for what may outlive the connection.
    fn admit(&self, call: &Call) -> Result<(OwnedSemaphorePermit, Option<Place>), Fault> {
        let places = if call.urgent() {
            &self.urgent
        } else {
            &self.ordinary
        };
        let permit = places.clone().try_acquire_owned();
        let permit = permit.map_err(|_| self.too_many())?;
        if call.urgent() || !call.changes() {
            return Ok((permit, None));
        }
        let change = self.shared.changes.take();
        let change = change.ok_or_else(|| self.too_many_changes())?;
        Ok((permit, Some(change)))
    }

    fn too_many_changes(&self) -> Fault {
        let most = self.shared.changes.most();
        let text = format!(
            "{most} requests that change something are not done yet (limits.changes); this one was not carried out"
        );
        Fault::new(FaultKind::Busy, text)
    }

    fn too_many(&self) -> Fault {
        let most = self.shared.settings.limits.requests_per_connection;
        let text = format!(
            "{most} requests of this connection are not answered yet (limits.requests_per_connection); this one was not carried out"
        );
        Fault::new(FaultKind::Busy, text)
    }

    /// Answers with an error, in turn.
    pub async fn refuse(&mut self, form: &Form, fault: &Fault) {
        self.shared.gateway.count("requests_refused", 1);
        tracing::debug!(
            from = self.from,
            cause = fault.message,
            "a request was refused"
        );
        self.done(form, Outgoing::short(form.failure(fault))).await;
    }

    async fn done(&mut self, form: &Form, outgoing: Outgoing) {
        if form.id.is_none() {
            return self.queue(Turn::Done(outgoing)).await;
        }
        // The writer is gone only together with its client, and has counted what it left.
        let _ = self.outbox.send(outgoing).await;
    }

    /// Puts it into the lane. An answer for which there is no room goes out at once: a client that is read no further could
    /// not stop what it waits for.
    async fn queue(&mut self, turn: Turn) {
        if let Err(TrySendError::Full(Turn::Done(outgoing))) = self.lane.try_send(turn) {
            let _ = self.outbox.send(outgoing).await;
        }
    }

    /// Returns when nothing is unanswered any more, be it for a moment.
    pub fn all_answered(&self) -> impl Future<Output = ()> + use<> {
        let most = self.shared.settings.limits.requests_per_connection;
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let (ordinary, urgent) = (self.ordinary.clone(), self.urgent.clone());
        async move {
            let _ordinary = ordinary.acquire_many_owned(most).await;
            let _urgent = urgent.acquire_many_owned(most).await;
        }
    }

    /// Takes nothing more, and waits until what was taken is answered.
    pub async fn finish(&mut self) {
        let (closed, _) = mpsc::channel(1);
        self.lane = closed;
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn one_by_one(
    mut turns: mpsc::Receiver<Turn>,
    outbox: mpsc::Sender<Outgoing>,
    shared: Arc<Shared>,
) {
    while let Some(turn) = turns.recv().await {
        match turn {
            Turn::Done(outgoing) => drop(outbox.send(outgoing).await),
            Turn::Order(order) => order.begin().await.answer(&shared, &outbox).await,
        }
    }
}

fn stranger() -> Fault {
    let text = "nobody is logged in on this connection; send a login first";
    Fault::new(FaultKind::Unauthorized, text)
}

//! The connection that reads requests and acknowledges them.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::Stop;
use tokio::sync::Semaphore;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout, timeout_at};

use crate::brokers::{BACKOFF, Brokers};
use crate::delivery::Delivery;
use crate::desk::Desk;
use crate::links::{Link, Links};
use crate::stomp::{
    ClientFrame, ErrorFrame, Incoming, LinkError, MessageFrame, Outgoing, ServerEvent, open,
};

/// What the ids of our subscriptions begin with; see [`Consumer::nonce`].
const REQUESTS: &str = "requests-";
const GOODBYE_RECEIPT: &str = "goodbye";
/// How long the broker may take for a RECEIPT.
const RECEIPT: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_millis(500);

/// Takes requests for the desk.
pub struct Consumer {
    /// Where they go.
    pub desk: Arc<Desk>,
    brokers: Arc<Brokers>,
    links: Arc<Links>,
    /// Messages taken and not acknowledged; bounds what all clients together can make us hold.
    taken: Arc<Semaphore>,
    capacity: usize,
    prefetch: usize,
    /// New for each connection and part of the subscriptions' ids, so that clients cannot forge messages to us.
    pub nonce: String,
    /// The id of the subscription to requests.
    requests: String,
    /// How many connections there were.
    connections: u64,
    /// Since when the present connection, or the last one, takes requests; `None`: it never did.
    works: Option<Instant>,
    stopping: bool,
}

impl Consumer {
    /// Takes nothing so far.
    pub fn new(desk: Arc<Desk>, brokers: Arc<Brokers>, links: Arc<Links>) -> Self {
        // Well above the ordinary requests that the desk lets in and those that it holds, so that the broker does not hold
        // back an urgent one.
        let limits = &desk.settings.limits;
        let requests = usize::from(limits.requests);
        let prefetch = requests + usize::from(limits.held) + requests.max(64);
        // The broker's own bound is the prefetch; more are only taken when it delivers again what is still under way.
        let capacity = prefetch * 2;
        Self {
            desk,
            brokers,
            links,
            taken: Arc::new(Semaphore::new(capacity)),
            capacity,
            prefetch,
            nonce: String::new(),
            requests: String::new(),
            connections: 0,
            works: None,
            stopping: false,
        }
    }

    /// Runs until `stop`, and then until what was taken is answered, for a while at most.
    pub async fn run(mut self, stop: Stop) {
        let mut tour = self.brokers.tour();
        loop {
            self.works = None;
            let ended = tokio::select! {
                ended = self.connection(tour.at(), &stop) => ended,
                () = hurry(&stop) => return,
            };
            let Err(error) = ended else { return };
            let causes = self.brokers.failed(tour.at(), &error);
            self.links.down(Link::Reading, &causes);
            self.desk.presence().restart();
            self.desk.forget_held();
            // They were said to be gone by a broker that is gone itself now.
            self.desk.clients.mark_gone(false, |_| true);
            tokio::select! {
                () = sleep(tour.next(self.has_lasted(&error))) => {}
                () = stop.wait() => return,
            }
        }
    }

    /// The broker deserves another attempt before the next one gets its turn.
    fn has_lasted(&self, error: &LinkError) -> bool {
        let works = self.works.is_some_and(|since| since.elapsed() > BACKOFF.1);
        works && !matches!(error, LinkError::NoAnswers)
    }

    /// One connection, until it is lost. `Ok`: until everything was answered after `stop`.
    async fn connection(&mut self, broker: usize, stop: &Stop) -> Result<(), LinkError> {
        let brokers = self.brokers.clone();
        let target = brokers.target(broker);
        let (mut incoming, outgoing) = tokio::select! {
            halves = open(target) => halves?,
            () = stop.wait() => return Ok(()),
        };
        brokers.choose(broker);
        self.connections += 1;
        self.nonce = format!("{:016x}", RandomState::new().build_hasher().finish());
        self.requests = format!("{REQUESTS}{}", self.nonce);
        let blind = self.listen_to_advisories(&mut incoming, &outgoing).await?;
        self.subscribe(&mut incoming, &outgoing).await?;
        self.works = Some(Instant::now());
        brokers.works();
        self.links
            .up(Link::Reading, &target.address, incoming.server());
        if let Some(cause) = blind {
            self.links.stuck(Link::Reading, Some(&cause));
        }
        let mut sweep = interval(SWEEP);
        let mut given_up = pin!(brokers.given_up(broker));
        let mut stopping = pin!(stop.wait());
        loop {
            tokio::select! {
                event = incoming.next() => self.handle(event?, &outgoing).await,
                _ = sweep.tick() => self.sweep(),
                () = &mut given_up => return Err(LinkError::NoAnswers),
                () = &mut stopping => return self.leave(incoming, outgoing, stop.answer_until()).await,
            }
        }
    }

    async fn subscribe(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &Outgoing,
    ) -> Result<(), LinkError> {
        let destination = format!("/queue/{}", self.desk.settings.queue);
        let id = self.requests.clone();
        let mut frame = ClientFrame::subscribe_individually(&*destination, &*id)
            .header("activemq.prefetchSize", self.prefetch.to_string());
        // Logins live in one gateway, so that a second one should not get a share of the requests: it stands by.
        if self.desk.settings.exclusive {
            frame = frame.header("activemq.exclusive", "true");
        }
        match self.ask(incoming, outgoing, frame, &id).await? {
            None => Ok(()),
            Some(ErrorFrame { message, .. }) => Err(LinkError::Subscribe {
                destination,
                message,
            }),
        }
    }

    /// Sends a frame and handles what comes until its RECEIPT, or the ERROR in its place.
    pub async fn ask(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &Outgoing,
        frame: ClientFrame,
        receipt: &str,
    ) -> Result<Option<ErrorFrame>, LinkError> {
        outgoing.send(frame.receipt(receipt)).await?;
        let deadline = Instant::now() + RECEIPT;
        loop {
            let late = |_| LinkError::NoReceipt {
                what: receipt.to_owned(),
                after: RECEIPT,
            };
            match timeout_at(deadline, incoming.next())
                .await
                .map_err(late)??
            {
                ServerEvent::Receipt(id) if id == receipt => return Ok(None),
                ServerEvent::Error(error) if error.receipt.as_deref() == Some(receipt) => {
                    return Ok(Some(error));
                }
                event => self.handle(event, outgoing).await,
            }
        }
    }

    pub async fn handle(&mut self, event: ServerEvent, outgoing: &Outgoing) {
        match event {
            ServerEvent::Message(message) if message.subscription == self.requests => {
                self.request(&message, outgoing).await
            }
            ServerEvent::Message(message) if self.is_advisory(&message.subscription) => {
                self.advisory(&message)
            }
            ServerEvent::Unusable {
                reason,
                subscriptions,
                acks,
            } => {
                tracing::warn!(
                    reason,
                    "the broker sent a message that cannot be used; it is thrown away"
                );
                self.desk.gateway.count("requests_unusable", 1);
                // One that is none of ours is a client's invention, and so are its acks. A forged ack beside the true one
                // can only name what the broker has delivered to us already.
                let ours = subscriptions.contains(&self.requests);
                for ack in acks.into_iter().filter(|_| ours) {
                    let _ = outgoing.send(ClientFrame::ack(ack)).await;
                }
            }
            ServerEvent::Error(error) => {
                tracing::warn!(
                    message = error.message,
                    detail = error.detail,
                    "the broker reports an error"
                );
            }
            other => tracing::debug!(?other, "the broker sent what nobody asked for"),
        }
    }

    async fn request(&mut self, message: &MessageFrame, outgoing: &Outgoing) {
        // Only fails when closed, which it never is. Waiting here stops the reading, which is what is wanted then.
        let Ok(taken) = self.taken.clone().acquire_owned().await else {
            return;
        };
        let delivery = Delivery::new(
            message.ack.clone(),
            (outgoing.clone(), self.connections),
            taken,
        );
        self.desk.take(message, delivery, self.stopping).await;
    }

    fn sweep(&self) {
        self.desk.end_grace();
        self.desk
            .clients
            .sweep(self.desk.settings.session_idle, |name| {
                self.desk.presence().is_absent(name)
            });
    }

    /// Answers what was taken, turns away what still comes, and only then unsubscribes: the broker would deliver what is
    /// not acknowledged to somebody else at once.
    async fn leave(
        &mut self,
        mut incoming: Incoming,
        outgoing: Outgoing,
        deadline: Instant,
    ) -> Result<(), LinkError> {
        self.stopping = true;
        self.desk.stop_holding();
        let mut look = interval(Duration::from_millis(10));
        while self.taken.available_permits() < self.capacity && Instant::now() < deadline {
            tokio::select! {
                event = incoming.next() => self.handle(event?, &outgoing).await,
                _ = look.tick() => {}
            }
        }
        let left = self.capacity - self.taken.available_permits();
        if left > 0 {
            tracing::warn!(
                left,
                "requests are not answered yet; the broker will deliver them again"
            );
        }
        outgoing
            .send(ClientFrame::unsubscribe(&*self.requests))
            .await?;
        outgoing
            .send(ClientFrame::disconnect(GOODBYE_RECEIPT))
            .await?;
        let _ = timeout(GOODBYE, async {
            while !matches!(incoming.next().await, Err(_) | Ok(ServerEvent::Receipt(_))) {}
        })
        .await;
        Ok(())
    }
}

/// Whatever a connection is at, it must not outlive the host's wish by much.
async fn hurry(stop: &Stop) {
    stop.wait().await;
    sleep_until(stop.leave_until()).await;
}

//! What works on requests: one task for each client, and one for each urgent request.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use patchbay_dialect_json::{Call, Contract, Wish};
use patchbay_sdk::{Fault, RawJson, Reply, by_size};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::client::{ClientState, Job, Ticket};
use crate::delivery::Answer;
use crate::desk::Desk;
use crate::member::Member;
use crate::once;
use crate::refusals;
use crate::stomp::text::ascii;

/// Looks of one client that are under way at the same time; the host takes more of one session unless it is told not to
/// (`max_in_flight_per_session`).
const SIDE_BY_SIDE: usize = 16;

/// After a longer answer a look is asked alone, in bytes: many long answers at once would find no room on their way.
const SHORT: usize = 64 << 10;

/// A request that was carried out, and the text of its answer.
type Done = (Ticket, String);

impl Desk {
    /// A client's requests in their order, until the client is taken out and its queue is empty. Looks of the same kind are
    /// asked side by side, and answered in their order all the same; any other request begins when all before it are
    /// answered, so that no answer is older than one before it.
    pub async fn serve(self: Arc<Self>, client: Arc<ClientState>, mut queue: mpsc::Receiver<Job>) {
        let mut looks = FuturesOrdered::new();
        let mut kind = None;
        let mut short = true;
        loop {
            let job = tokio::select! {
                biased;
                Some(done) = looks.next() => {
                    short = self.finish(&client, done).await;
                    continue;
                }
                job = queue.recv(), if looks.len() < SIDE_BY_SIDE => job,
            };
            let looks_for = job.as_ref().and_then(Job::looks_for);
            let fits_in = short && looks_for.is_some() && looks_for == kind;
            while !fits_in && let Some(done) = looks.next().await {
                short = self.finish(&client, done).await;
            }
            let Some(job) = job else { return };
            kind = looks_for;
            let member = client.member();
            let done = self.clone().carry_out(client.clone(), member, job);
            match looks_for.is_some() && short {
                true => looks.push_back(done),
                false => short = self.finish(&client, done.await).await,
            }
        }
    }

    /// Answers; whether that was short.
    async fn finish(&self, client: &Arc<ClientState>, (ticket, text): Done) -> bool {
        let short = text.len() <= SHORT;
        self.reply(ticket, text).await;
        client.answered();
        self.clients.remove_if_useless(client);
        short
    }

    async fn carry_out(
        self: Arc<Self>,
        client: Arc<ClientState>,
        member: Option<Member>,
        job: Job,
    ) -> Done {
        let Job {
            ticket,
            wish,
            refusal,
        } = job;
        let done = match refusal {
            Some(fault) => self.decline(&ticket, member.as_ref(), wish, fault).await,
            None => self.attempt(&client, member, &ticket, wish).await,
        };
        let text = done.unwrap_or_else(|fault| ticket.form.failure(&fault));
        (ticket, text)
    }

    async fn attempt(
        self: &Arc<Self>,
        client: &Arc<ClientState>,
        member: Option<Member>,
        ticket: &Ticket,
        wish: Wish,
    ) -> Result<String, Fault> {
        let form = &ticket.form;
        match wish {
            Wish::Login { user, secret } => {
                let login = self.gateway.login(&client.reply_to, &user, secret).await;
                let member = login.clone().ok().map(|session| Member {
                    session,
                    user: user.into(),
                });
                self.decide_login(client, member);
                login.map(|session| form.welcome(&session))
            }
            wish if ticket.envelope.is_expired() => {
                self.gateway.count("requests_expired", 1);
                self.recall_wish(ticket, member.as_ref(), wish, refusals::expired())
                    .await
            }
            Wish::Logout => {
                drop(client.log_out());
                Ok(form.success(&RawJson::null()))
            }
            wish => match self.member(client, member).await {
                Ok(member) => self.fulfil(ticket, client, &member, wish).await,
                Err(fault) => self.recall_wish(ticket, None, wish, fault).await,
            },
        }
    }

    /// What is said of a request that is not carried out.
    pub async fn decline(
        &self,
        ticket: &Ticket,
        member: Option<&Member>,
        wish: Wish,
        fault: Fault,
    ) -> Result<String, Fault> {
        let said = self.recall_wish(ticket, member, wish, fault).await;
        if let Err(fault) = &said {
            self.gateway.count("requests_refused", 1);
            let client = &ticket.envelope.reply_to;
            tracing::debug!(client, cause = fault.message, "a request was refused");
        }
        said
    }

    async fn member(&self, client: &ClientState, member: Option<Member>) -> Result<Member, Fault> {
        match (member, &self.settings.default_login) {
            (Some(member), _) => Ok(member),
            (None, None) => Err(refusals::stranger()),
            (None, Some(login)) => {
                let member = login.member(&self.gateway, client).await?;
                self.clients.keep_limit();
                Ok(member)
            }
        }
    }

    async fn fulfil(
        &self,
        ticket: &Ticket,
        client: &ClientState,
        member: &Member,
        wish: Wish,
    ) -> Result<String, Fault> {
        match wish {
            Wish::Call(call) => self.perform(ticket, member, call).await,
            Wish::Subscribe(what) => {
                let from = self.subscribe(client, what)?;
                Ok(ticket.form.success(&from))
            }
            Wish::Unsubscribe => {
                client.unsubscribe();
                Ok(ticket.form.success(&RawJson::null()))
            }
            Wish::Login { .. } | Wish::Logout | Wish::Nothing => {
                Ok(ticket.form.success(&RawJson::null()))
            }
        }
    }

    /// What was urgent and had to wait for the login goes before what waits in the queue.
    fn decide_login(self: &Arc<Self>, client: &Arc<ClientState>, member: Option<Member>) {
        for job in client.decide_login(member.clone()) {
            self.hurry(client.clone(), member.clone(), job);
        }
        self.clients.keep_limit();
    }

    /// Beside the client's other requests, in the session that there was when the request came.
    pub fn hurry(self: &Arc<Self>, client: Arc<ClientState>, member: Option<Member>, job: Job) {
        let desk = self.clone();
        tokio::spawn(async move {
            let (ticket, text) = desk.clone().carry_out(client, member, job).await;
            desk.reply(ticket, text).await;
        });
    }

    /// Answers a request.
    pub async fn reply(&self, ticket: Ticket, text: String) {
        let Ticket {
            envelope,
            form,
            key,
            remembered,
            delivery,
            ..
        } = ticket;
        let key = key.filter(|_| remembered);
        if form.contract != Contract::Neutral {
            sleep_until(envelope.received + self.settings.min_reply_delay).await;
        }
        let text: Arc<str> = self.backlog.fit(ascii(text), &form).into();
        let waiter = key
            .as_ref()
            .and_then(|key| self.memory().finish(key, text.clone()));
        let answer = Answer {
            envelope,
            text,
            cuts: 0,
            made: Instant::now(),
            key,
            deliveries: std::iter::once(delivery).chain(waiter).collect(),
        };
        self.send(answer).await;
    }

    /// Asks the script server.
    async fn perform(&self, ticket: &Ticket, member: &Member, call: Call) -> Result<String, Fault> {
        let args = call.args.clone();
        let session = match &ticket.envelope.correlation {
            Some(id) => member.session.named(id),
            None => member.session.clone(),
        };
        let reply = match once::key(ticket.key.as_ref(), Some(member), &call) {
            None => session.call(&call.op, args).await?,
            Some(key) => {
                let done = session.call_once(&call.op, args, &key).await;
                done.map_err(|fault| once::unsure(ticket, &call, fault))?
            }
        };
        self.shape(ticket, call, reply).await
    }

    /// The answer in the client's form.
    pub async fn shape(&self, ticket: &Ticket, call: Call, reply: Reply) -> Result<String, Fault> {
        let body = reply.body;
        let form = ticket.form.clone();
        let length = body.get().len();
        let shape = move || match call.dialect {
            Some(dialect) => dialect.reply(&body).map(|body| ascii(form.success(&body))),
            None => Ok(ascii(form.success(&body))),
        };
        by_size(length, shape).await?
    }
}

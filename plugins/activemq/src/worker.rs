//! What works on requests: one task for each client, and one for each urgent request.

use std::sync::Arc;

use patchbay_dialect_json::{Call, Contract, Wish};
use patchbay_sdk::{Fault, RawJson, Reply, Session, by_size};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::client::{ClientState, Job, Ticket};
use crate::delivery::Answer;
use crate::desk::Desk;
use crate::refusals;
use crate::stomp::text::ascii;

impl Desk {
    /// A client's requests, one after the other, until the client is taken out and its queue is empty.
    pub async fn serve(self: Arc<Self>, client: Arc<ClientState>, mut queue: mpsc::Receiver<Job>) {
        while let Some(job) = queue.recv().await {
            let session = client.session();
            self.clone().carry_out(client.clone(), session, job).await;
            self.clients.remove_if_useless(&client, &queue);
        }
    }

    async fn carry_out(
        self: Arc<Self>,
        client: Arc<ClientState>,
        session: Option<Session>,
        job: Job,
    ) {
        let Job { ticket, wish } = job;
        let form = &ticket.form;
        let done = match wish {
            Wish::Login { user, secret } => {
                let login = self.gateway.login(&client.reply_to, &user, secret).await;
                self.decide_login(&client, login.as_ref().ok());
                login.map(|session| form.welcome(&session))
            }
            wish if ticket.envelope.is_expired() => {
                self.gateway.count("requests_expired", 1);
                self.recall_wish(&ticket, wish, refusals::expired()).await
            }
            Wish::Logout => {
                client.log_out();
                Ok(form.success(&RawJson::null()))
            }
            wish => match self.session(&client, session).await {
                Ok(session) => self.fulfil(&ticket, &client, &session, wish).await,
                Err(fault) => self.recall_wish(&ticket, wish, fault).await,
            },
        };
        let text = done.unwrap_or_else(|fault| form.failure(&fault));
        self.reply(ticket, text).await;
    }

    async fn session(
        &self,
        client: &ClientState,
        session: Option<Session>,
    ) -> Result<Session, Fault> {
        match (session, &self.settings.default_login) {
            (Some(session), _) => Ok(session),
            (None, None) => Err(refusals::stranger()),
            (None, Some(login)) => {
                let session = login.session(&self.gateway, client).await?;
                self.clients.keep_limit();
                Ok(session)
            }
        }
    }

    async fn fulfil(
        &self,
        ticket: &Ticket,
        client: &ClientState,
        session: &Session,
        wish: Wish,
    ) -> Result<String, Fault> {
        match wish {
            Wish::Call(call) => self.perform(ticket, Some(session), call).await,
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
    fn decide_login(self: &Arc<Self>, client: &Arc<ClientState>, session: Option<&Session>) {
        for job in client.decide_login(session.cloned()) {
            self.hurry(client.clone(), session.cloned(), job);
        }
        self.clients.keep_limit();
    }

    /// Beside the client's other requests, in the session that there was when the request came.
    pub fn hurry(self: &Arc<Self>, client: Arc<ClientState>, session: Option<Session>, job: Job) {
        tokio::spawn(self.clone().carry_out(client, session, job));
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

    /// Asks the script server. A call without a key needs a session.
    pub async fn perform(
        &self,
        ticket: &Ticket,
        session: Option<&Session>,
        call: Call,
    ) -> Result<String, Fault> {
        let Reply { body, .. } = match (&call.key, session) {
            (Some(key), _) => {
                self.call_once(session, &call, key, ticket.redelivered)
                    .await?
            }
            (None, Some(session)) => session.call(&call.op, call.args.clone()).await?,
            (None, None) => return Err(refusals::stranger()),
        };
        let form = ticket.form.clone();
        let length = body.get().len();
        let shape = move || match call.dialect {
            Some(dialect) => dialect.reply(&body).map(|body| ascii(form.success(&body))),
            None => Ok(ascii(form.success(&body))),
        };
        by_size(length, shape).await?
    }
}

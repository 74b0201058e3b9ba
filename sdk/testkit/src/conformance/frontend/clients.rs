//! How the scenes speak as clients, with a bound on every wait.

use super::super::suite::{Outcome, Unmet, demand};
use super::client::{Client, Protocol, Told};
use serde_json::{Value, json};
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// A client of the test's.
pub(super) struct Guest<C> {
    client: C,
    patience: Duration,
}

impl<C: Client> Guest<C> {
    pub(super) async fn connect<P: Protocol<Client = C>>(
        protocol: &P,
        patience: Duration,
    ) -> Result<Self, Unmet> {
        let client = bounded("a client cannot connect", patience, protocol.connect()).await?;
        Ok(Guest { client, patience })
    }

    pub(super) async fn login(&mut self, user: &str, password: &str) -> Result<Told, Unmet> {
        bounded(
            "a login is not answered",
            self.patience,
            self.client.login(user, password),
        )
        .await
    }

    /// Asks to evaluate that code.
    pub(super) async fn send(&mut self, tag: u64, code: &str) -> Outcome {
        self.send_op(tag, "eval", &json!({ "code": code })).await
    }

    pub(super) async fn send_op(&mut self, tag: u64, op: &str, args: &Value) -> Outcome {
        bounded(
            "a request cannot be sent",
            self.patience,
            self.client.send(tag, op, args),
        )
        .await
    }

    pub(super) async fn answer(&mut self) -> Result<(u64, Told), Unmet> {
        bounded(
            "a request is not answered",
            self.patience,
            self.client.answer(),
        )
        .await
    }

    /// Asks for a text, which has to come back.
    pub(super) async fn eval(&mut self, text: &str) -> Outcome {
        self.send(77, text).await?;
        let (tag, told) = self.answer().await?;
        let is_right = tag == 77 && matches!(&told, Ok(value) if value["value"] == text);
        demand(is_right, || {
            format!(
                "asked for {}, it is told of request {tag}: {}",
                brief(text),
                brief(&format!("{told:?}"))
            )
        })
    }

    pub(super) async fn subscribe(&mut self) -> Outcome {
        match bounded(
            "a subscription is not answered",
            self.patience,
            self.client.subscribe(),
        )
        .await?
        {
            true => Ok(()),
            false => Err(Unmet::not_applicable("the protocol has no events")),
        }
    }

    pub(super) async fn event(&mut self) -> Result<Value, Unmet> {
        bounded("an event does not come", self.patience, self.client.event()).await
    }

    pub(super) async fn babble(&mut self) -> Result<bool, Unmet> {
        bounded(
            "what is no request cannot be sent",
            self.patience,
            self.client.babble(),
        )
        .await
    }
}

async fn bounded<T>(
    what: &str,
    patience: Duration,
    does: impl Future<Output = Result<T, String>>,
) -> Result<T, Unmet> {
    match timeout(patience, does).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(why)) => Err(Unmet::failed(format!("{what}: {why}"))),
        Err(_) => Err(Unmet::failed(format!("{what} within {patience:?}"))),
    }
}

/// The beginning of a text.
pub(super) fn brief(text: &str) -> String {
    let mut short: String = text.chars().take(120).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

//! The suite for frontends: clients of a test's own, before a host of the suite's.

mod client;
mod clients;
mod ends;
mod events;
mod logins;
mod reception;
mod requests;

pub use client::{Client, Protocol, Told};

use super::common;
use super::life::{Begun, Birth, Life, Line, Role};
use super::peer;
use super::report::Report;
use super::suite::{self, Hopeless, Outcome, Requirement, Subject, Unmet};
use crate::Plugin;
use clients::Guest;
use reception::Reception;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a test says of its frontend.
///
/// ```
/// # use patchbay_testkit::conformance::{self, Protocol};
/// # use serde_json::json;
/// # async fn it_conforms<MyFrontend: patchbay_sdk::Frontend>(my_clients: impl Protocol) {
/// let report = conformance::frontend::<MyFrontend, _>(json!({"listen": "127.0.0.1:9000"}), my_clients)
///     .login("anna", "secret")
///     .run()
///     .await;
/// // It has no peer that could be away.
/// report.assert_all_but(&["A15", "A16"]);
/// # }
/// ```
/// `patchbay plugin new frontend` writes a test with such a [`Protocol`].
#[must_use = "nothing is looked at before `run`"]
pub struct FrontendSuite<P: Protocol> {
    birth: Birth,
    protocol: P,
    login: (String, String),
    in_turn: bool,
    /// The host of the instance that lives now.
    reception: Mutex<Option<Arc<Reception>>>,
}

impl<P: Protocol> FrontendSuite<P> {
    pub(super) fn new(name: &str, plugin: Plugin, config: Value, protocol: P) -> Self {
        let suite = FrontendSuite {
            birth: Birth::new(name, plugin, config, Role::Frontend),
            protocol,
            login: (String::new(), String::new()),
            in_turn: false,
            reception: Mutex::default(),
        };
        suite.login("anna", "the password of anna")
    }

    /// Whom the host lets in: the name and password that it is to be told when a client logs in by them. Another name
    /// and password than `anna`'s, where the protocol cannot say just anything.
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.birth.hush(password);
        self.login = (user.to_owned(), password.to_owned());
        self
    }

    /// A client's requests are carried out one after the other, as its protocol demands; not those of several clients.
    pub fn in_turn(mut self) -> Self {
        self.in_turn = true;
        self
    }

    /// How what it speaks to, a broker, is taken away and given back.
    pub fn peer(mut self, peer: impl super::Peer) -> Self {
        self.birth.peer = Some(Arc::new(peer));
        self
    }

    /// How long anything is waited for; half a minute, if the test does not say.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.birth.patience = patience;
        self
    }

    /// How long the frontend is given to stop; 6 s, if the test does not say.
    pub fn stop_within(mut self, deadline: Duration) -> Self {
        self.birth.stop_within = deadline;
        self
    }

    /// With messages that cross so, where the plugin is not in another process anyway.
    pub fn over(mut self, wire: crate::Wire) -> Self {
        self.birth.plugin = self.birth.plugin.over(wire);
        self
    }

    /// Looks at each requirement in turn, each with lives of its own.
    pub async fn run(self) -> Report {
        suite::run(&self, requirements()).await
    }

    /// A client that is connected.
    async fn guest(&self) -> Result<Guest<P::Client>, Unmet> {
        let notes = &self.birth.notes;
        if notes.is_hopeless(Hopeless::Login) {
            return Err(Unmet::not_applicable("nobody gets in, see F1"));
        }
        let guest = Guest::connect(&self.protocol, self.birth.patience).await;
        guest.map_err(|unmet| notes.not_let_in("F1", unmet.why()))
    }

    /// A client that is logged in.
    async fn member(&self) -> Result<Guest<P::Client>, Unmet> {
        let mut guest = self.guest().await?;
        let notes = &self.birth.notes;
        let why = match guest.login(&self.login.0, &self.login.1).await {
            Ok(Ok(_)) => {
                notes.has_entered();
                return Ok(guest);
            }
            Ok(Err(told)) => format!("{} logs in, and is told: {told}", self.login.0),
            Err(unmet) => unmet.why(),
        };
        Err(notes.not_let_in("F1", why))
    }

    /// The host of the instance that lives now.
    fn host(&self) -> Result<Arc<Reception>, Unmet> {
        let reception = self
            .reception
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        reception
            .clone()
            .ok_or_else(|| Unmet::failed("no instance lives"))
    }

    /// Waits for what the host has to hear or say, within patience.
    async fn within<T>(&self, what: &str, future: impl Future<Output = T>) -> Result<T, Unmet> {
        let patience = self.birth.patience;
        let done = tokio::time::timeout(patience, future).await;
        done.map_err(|_| Unmet::failed(format!("{what} within {patience:?}")))
    }
}

impl<P: Protocol> Subject for FrontendSuite<P> {
    fn birth(&self) -> &Birth {
        &self.birth
    }

    async fn begin(&self, config: &Value) -> Result<(Life, Begun), String> {
        let line = Line::default();
        let (reception, ear) = Reception::open(line.clone(), self.login.clone());
        *self
            .reception
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(reception);
        let hear = move |message: &patchbay_abi::Message| drop(ear.send(message.clone()));
        self.birth.start(config, hear, line).await
    }

    async fn served(&self, _life: &Life) -> Outcome {
        let mut member = self.member().await?;
        member.eval("served").await
    }

    async fn busy(&self, _life: &Life) -> Outcome {
        let mut member = self.member().await?;
        member.send(1, &format!("{}busy", reception::HOLD)).await?;
        let host = self.host()?;
        self.within("the host does not hear of a request", host.holds(1))
            .await
    }
}

/// All requirements of frontends, in the order of the page.
pub(super) fn requirements<P: Protocol>() -> Vec<Requirement<FrontendSuite<P>>> {
    let parts = [
        common::requirements(),
        peer::requirements(),
        logins::requirements(),
        requests::requirements(),
        events::requirements(),
        ends::requirements(),
    ];
    parts.into_iter().flatten().collect()
}

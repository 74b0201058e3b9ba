//! The suite for backends: what a test says of one, and how its scenes speak to it.

mod desk;
mod jobs;
mod logins;
mod requests;

use super::common;
use super::life::{Begun, Birth, Life, Line, Role};
use super::peer;
use super::report::Report;
use super::suite::{self, Outcome, Requirement, Subject, Unmet};
use crate::Plugin;
use desk::Desk;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// An operation and its arguments.
type Ask = (String, Value);

type Says = dyn Fn(&str) -> Ask + Send + Sync;

/// What a test says of its backend. What it does not say cannot be looked at, and stands so in the report.
///
/// ```
/// # use patchbay_testkit::conformance::{self, Peer};
/// # use serde_json::json;
/// # async fn it_conforms<MyBackend: patchbay_sdk::Backend>(server: impl Peer) {
/// let report = conformance::backend::<MyBackend>(json!({"address": "127.0.0.1:7700"}))
///     .login("anna", "secret")
///     .wrong_login("anna", "a guess")
///     .slow_request("eval", json!({"code": "time.sleep(3600)"}))
///     .says(|text| ("eval".into(), json!({ "code": format!("{text:?}") })))
///     .script("print(1)")
///     .failing_script("1 / 0")
///     .long_script("while True: pass")
///     .peer(server)
///     .run()
///     .await;
/// report.assert_all_but(&[]);
/// # }
/// ```
#[must_use = "nothing is looked at before `run`"]
pub struct BackendSuite {
    birth: Birth,
    login: (String, String),
    wrong: Option<(String, String)>,
    request: Ask,
    slow: Option<Ask>,
    says: Option<Arc<Says>>,
    script: Option<String>,
    failing: Option<String>,
    long: Option<String>,
}

impl BackendSuite {
    pub(super) fn new(name: &str, plugin: Plugin, config: Value) -> Self {
        BackendSuite {
            birth: Birth::new(name, plugin, config, Role::Backend),
            login: ("anybody".to_owned(), String::new()),
            wrong: None,
            request: ("status".to_owned(), json!({})),
            slow: None,
            says: None,
            script: None,
            failing: None,
            long: None,
        }
    }

    /// Who is let in: everybody, if the test does not say.
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.birth.hush(password);
        self.login = (user.to_owned(), password.to_owned());
        self
    }

    /// Who is not.
    pub fn wrong_login(mut self, user: &str, password: &str) -> Self {
        self.birth.hush(password);
        self.wrong = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// A request that is carried out soon, as often as it is asked: `status`, if the test does not say.
    pub fn request(mut self, op: &str, args: Value) -> Self {
        self.request = (op.to_owned(), args);
        self
    }

    /// A request that takes longer than the suite's patience, and does no harm.
    pub fn slow_request(mut self, op: &str, args: Value) -> Self {
        self.slow = Some((op.to_owned(), args));
        self
    }

    /// A request in whose answer the text stands somewhere, as a JSON string.
    pub fn says(mut self, ask: impl Fn(&str) -> (String, Value) + Send + Sync + 'static) -> Self {
        self.says = Some(Arc::new(ask));
        self
    }

    /// A script that succeeds soon.
    pub fn script(mut self, code: &str) -> Self {
        self.script = Some(code.to_owned());
        self
    }

    /// A script that fails soon.
    pub fn failing_script(mut self, code: &str) -> Self {
        self.failing = Some(code.to_owned());
        self
    }

    /// A script that runs until it is stopped.
    pub fn long_script(mut self, code: &str) -> Self {
        self.long = Some(code.to_owned());
        self
    }

    /// How the script server is taken away and given back.
    pub fn peer(mut self, peer: impl super::Peer) -> Self {
        self.birth.peer = Some(Arc::new(peer));
        self
    }

    /// How long anything is waited for; half a minute, if the test does not say.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.birth.patience = patience;
        self
    }

    /// How long the backend is given to stop; 6 s, if the test does not say.
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

    /// A scene in a session.
    async fn in_session(&self, scene: impl AsyncFnOnce(&Desk<'_>, u64) -> Outcome) -> Outcome {
        self.serving(async |life| {
            let desk = Desk::new(life);
            let session = self.enter(&desk).await?;
            scene(&desk, session).await
        })
        .await
    }

    /// Somebody who is logged in, at a backend whose link is up.
    async fn enter(&self, desk: &Desk<'_>) -> Result<u64, Unmet> {
        let (user, password) = &self.login;
        let session = desk.enter(user, password).await?;
        desk.linked(session).await?;
        Ok(session)
    }
}

impl Subject for BackendSuite {
    fn birth(&self) -> &Birth {
        &self.birth
    }

    async fn begin(&self, config: &Value) -> Result<(Life, Begun), String> {
        self.birth.start(config, |_| (), Line::default()).await
    }

    async fn served(&self, life: &Life) -> Outcome {
        let desk = Desk::new(life);
        let session = self.enter(&desk).await?;
        // Whether it is done or refused, it is answered.
        desk.call(session, "status", json!({})).await.map(drop)
    }

    async fn busy(&self, life: &Life) -> Outcome {
        let desk = Desk::new(life);
        let (user, password) = &self.login;
        desk.send_login(user, password, None);
        let session = self.enter(&desk).await?;
        for (op, args) in self.slow.iter().chain([&self.request]) {
            desk.send_call(session, op, args);
        }
        Ok(())
    }
}

/// All requirements of backends, in the order of the page.
pub(super) fn requirements() -> Vec<Requirement<BackendSuite>> {
    let parts = [
        common::requirements(),
        peer::requirements(),
        logins::requirements(),
        requests::requirements(),
        jobs::requirements(),
    ];
    parts.into_iter().flatten().collect()
}

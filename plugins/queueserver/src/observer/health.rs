//! How the server is, as operators see it; and whether its worker lives.

use std::sync::Arc;
use std::time::Duration;

use patchbay_sdk::Health as Told;
use patchbay_sdk::model::Level;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::seconds;
use crate::server::Server;
use crate::shape::Status;

/// As long a silent worker is given to answer.
const PROBE: Duration = Duration::from_secs(20);

pub(super) struct Health {
    server: Arc<Server>,
    told: Option<Told>,
    link: Option<String>,
    console: Option<String>,
    redis: Option<String>,
    heard: Instant,
    probe: Option<JoinHandle<bool>>,
    executing: bool,
    /// Since when it is about to take the next item.
    starting: Option<Instant>,
}

impl Health {
    pub(super) fn new(server: &Arc<Server>) -> Self {
        Self {
            server: Arc::clone(server),
            told: None,
            link: Some("it has not been reached yet".into()),
            console: None,
            redis: None,
            heard: Instant::now(),
            probe: None,
            executing: false,
            starting: None,
        }
    }

    pub(super) fn link(&mut self, broken: Option<String>) {
        self.link = broken;
    }

    pub(super) fn console(&mut self, broken: Option<String>) {
        self.console = broken;
    }

    pub(super) fn redis(&mut self, broken: Option<String>) {
        self.redis = broken;
    }

    /// Something was printed: it lives.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// The shim says every two seconds that the worker lives while something runs. After a silence the worker is asked:
    /// when it does not answer either, it has gone, and the RE Manager does not notice by itself.
    pub(super) fn look(&mut self, status: &Status) {
        if self.is_stuck(status) {
            return;
        }
        let executing =
            status.manager_state.starts_with("executing") || status.manager_state == "paused";
        if !std::mem::replace(&mut self.executing, executing) {
            self.heard();
        }
        if self.probe.as_ref().is_some_and(JoinHandle::is_finished) {
            self.probe = None;
        }
        let jobs = self.server.jobs();
        let wedged = jobs.is_wedged();
        drop(jobs);
        let silent = self.heard.elapsed() >= seconds(self.server.config.wedged_after_s);
        if !executing || !silent {
            if wedged {
                self.set_wedged(false);
            }
            return;
        }
        if self.probe.is_none() && !wedged {
            self.probe = Some(tokio::spawn(probe(Arc::clone(&self.server))));
        }
    }

    /// The RE Manager fails without a word when the item that it is about to take is taken away by another client.
    fn is_stuck(&mut self, status: &Status) -> bool {
        if !status.is_starting_item() {
            self.starting = None;
            return false;
        }
        let since = *self.starting.get_or_insert_with(Instant::now);
        let stuck = since.elapsed() >= seconds(self.server.config.wedged_after_s);
        if stuck && !self.server.jobs().is_wedged() {
            tracing::error!("{STUCK}");
            self.set_wedged(true);
            self.server.remark(Level::Error, None, STUCK.to_owned());
        }
        stuck
    }

    fn set_wedged(&self, wedged: bool) {
        let notices = self.server.jobs().set_wedged(wedged);
        self.server.tell(notices);
    }

    /// Tells it, if it is another than was told last.
    pub(super) fn tell(&mut self) {
        let wedged = self.server.jobs().is_wedged();
        let told = match (&self.link, &self.redis, &self.console) {
            (Some(why), _, _) => Told::Down(why.clone()),
            _ if wedged && self.starting.is_some() => Told::Degraded(STUCK.to_owned()),
            _ if wedged => Told::Degraded(WEDGED.to_owned()),
            (_, Some(why), _) => Told::Degraded(format!("its queue cannot be read: {why}")),
            (_, _, Some(why)) => Told::Degraded(why.clone()),
            _ => Told::Up,
        };
        if self.told.as_ref() != Some(&told) {
            self.server.cx.health(told.clone());
            self.told = Some(told);
        }
    }
}

/// What to do with a worker that has gone.
pub(super) const WEDGED: &str = "the RE Manager's worker does not answer any more, though the RE Manager says that it runs; \
    an expert can mend it with the operation `environment` and `{\"do\": \"reset\"}`, which ends what runs";

const STUCK: &str = "the RE Manager has been about to take the next item for too long, and takes none any more; \
    an expert can mend it with the operation `environment` and `{\"do\": \"reset\"}`";

async fn probe(server: Arc<Server>) -> bool {
    let answers = server.run_beside("pass".to_owned(), PROBE).await;
    let Err(fault) = answers else {
        return true;
    };
    let gone = matches!(
        fault.kind,
        patchbay_sdk::FaultKind::Timeout | patchbay_sdk::FaultKind::UnknownOutcome
    );
    if gone {
        tracing::error!("{WEDGED}; it says: {fault}");
        let notices = server.jobs().set_wedged(true);
        server.tell(notices);
        server.remark(Level::Error, None, WEDGED.to_owned());
        server.hurry.notify_one();
    }
    !gone
}

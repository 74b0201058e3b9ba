//! How the two connections to the broker are, told to the host and the log.

use std::sync::{Mutex, PoisonError};

use patchbay_sdk::{Gateway, Health};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Reads requests and acknowledges them.
    Reading,
    /// Sends answers and events.
    Answering,
}

/// The state of both.
pub struct Links {
    gateway: Gateway,
    states: Mutex<States>,
}

#[derive(Default)]
struct States {
    ready: bool,
    reading: State,
    answering: State,
}

#[derive(Default, Clone, PartialEq)]
enum State {
    #[default]
    Starting,
    Up,
    Stuck(String),
    Down(String),
}

impl Links {
    /// Neither is there yet.
    pub fn new(gateway: Gateway) -> Self {
        Self {
            gateway,
            states: Mutex::default(),
        }
    }

    /// The link works.
    pub fn up(&self, link: Link, address: &str, server: &str) {
        tracing::info!(?link, address, server, "connected to the broker");
        self.set(link, State::Up);
    }

    /// The link is there but does not do what it should; or it does again.
    pub fn stuck(&self, link: Link, cause: Option<&str>) {
        let state = cause.map_or(State::Up, |cause| State::Stuck(cause.to_owned()));
        if self.set(link, state) {
            tracing::warn!(
                ?link,
                cause = cause.unwrap_or("none any more"),
                "trouble with the broker"
            );
        }
    }

    /// The link has failed and is being made anew. The same cause again is not worth a warning.
    pub fn down(&self, link: Link, cause: &str) {
        if self.set(link, State::Down(cause.to_owned())) {
            tracing::warn!(?link, cause, "no connection to the broker, trying on");
        } else {
            tracing::debug!(?link, cause, "still no connection to the broker");
        }
    }

    /// Whether that was news.
    fn set(&self, link: Link, state: State) -> bool {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match link {
            Link::Reading => &mut states.reading,
            Link::Answering => &mut states.answering,
        };
        if *slot == state {
            return false;
        }
        *slot = state;
        if let Some(health) = states.health() {
            // A broker that is away is no failure to start: the host would only start us again.
            if !std::mem::replace(&mut states.ready, true) {
                self.gateway.ready();
            }
            self.gateway.health(health);
        }
        true
    }
}

impl States {
    /// `None` while nothing can be said.
    fn health(&self) -> Option<Health> {
        match (&self.reading, &self.answering) {
            (State::Down(cause), _) | (_, State::Down(cause)) => Some(Health::Down(cause.clone())),
            (State::Starting, _) | (_, State::Starting) => None,
            (State::Stuck(cause), _) | (_, State::Stuck(cause)) => {
                Some(Health::Degraded(cause.clone()))
            }
            (State::Up, State::Up) => Some(Health::Up),
        }
    }
}

//! The way of events to the answering connection, as long as there is one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::answering::expires_in;
use crate::stomp::{ClientFrame, ErrorFrame, Outgoing};

/// An event that nobody has fetched for so long is of no interest.
const EXPIRY: Duration = Duration::from_secs(60);

/// Events never wait: what cannot be sent at once is not sent.
#[derive(Clone, Default)]
pub struct Outlet {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    outgoing: Option<Outgoing>,
    /// The broker has refused something without receipt on this connection, and that was told.
    refused: bool,
}

impl Outlet {
    /// A new connection, or none.
    pub fn set(&self, outgoing: Option<Outgoing>) {
        *self.lock() = State {
            outgoing,
            refused: false,
        };
    }

    /// Sends an event; whether it is on its way.
    pub fn offer(&self, destination: &str, text: String) -> bool {
        let outgoing = self.lock().outgoing.clone();
        let frame = ClientFrame::send(destination, text).header("expires", expires_in(EXPIRY));
        outgoing.is_some_and(|outgoing| outgoing.offer(frame).is_ok())
    }

    /// The broker refused an event. Told once a connection: there is one such error for each event.
    pub fn refused(&self, error: &ErrorFrame) {
        if !std::mem::replace(&mut self.lock().refused, true) {
            tracing::warn!(
                message = error.message,
                detail = error.detail,
                "the broker refused an event; may we write to the topics?"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Asks the RE Manager.
//!
//! Its socket answers one request of each connection at a time, so that each request has a connection to itself; one whose
//! answer does not come costs the connection, and the answer, should it come later, finds nobody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use patchbay_sdk::{Fault, FaultKind, by_size};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::socket::{Socket, SocketError};
use crate::config::{Config, seconds};
use crate::refusal;
use crate::zmtp::{Kind, ZmtpError};

/// As many connections are kept for the next request.
const IDLE_MOST: usize = 4;
/// As many urgent requests may be under way.
const URGENT_MOST: usize = 64;

/// Whether a request may wait behind others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// It may.
    Ordinary,
    /// It has room of its own.
    Urgent,
}

/// The way to the RE Manager.
#[derive(Debug)]
pub struct Control {
    address: String,
    limit: usize,
    connect_deadline: Duration,
    reply_deadline: Duration,
    idle: Mutex<Vec<Socket>>,
    ordinary: Semaphore,
    urgent: Semaphore,
}

#[derive(Deserialize)]
struct Outcome {
    /// `status` has none; `null` says that the server does not know either.
    #[serde(default = "yes")]
    success: Value,
    #[serde(default)]
    msg: String,
}

fn yes() -> Value {
    Value::Bool(true)
}

impl Control {
    /// Connects when it is first asked.
    #[must_use]
    pub fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            address: config.control.clone(),
            limit: config.frame_limit_bytes,
            connect_deadline: seconds(config.connect_deadline_s),
            reply_deadline: seconds(config.reply_deadline_s),
            idle: Mutex::default(),
            ordinary: Semaphore::new(config.requests_most),
            urgent: Semaphore::new(URGENT_MOST),
        })
    }

    /// Asks, and reads what is answered.
    ///
    /// # Errors
    /// `Unavailable` if nothing was done; `UnknownOutcome` if it may have been; else what the server's refusal means.
    pub async fn ask<T: DeserializeOwned + Send + 'static>(
        &self,
        method: &str,
        params: Value,
        urgency: Urgency,
    ) -> Result<T, Fault> {
        let body = self.raw(method, params, urgency).await?;
        let length = body.len();
        let asked = method.to_owned();
        let read = move || {
            let outcome: Outcome = serde_json::from_slice(&body)?;
            match outcome.success {
                Value::Bool(true) => serde_json::from_slice(&body).map(Ok),
                _ => Ok(Err(refusal::fault(&asked, &outcome.msg))),
            }
        };
        let read: serde_json::Result<Result<T, Fault>> = by_size(length, read).await?;
        read.unwrap_or_else(|error| {
            let message =
                format!("the RE Manager's answer to `{method}` is not what it should be: {error}");
            Err(Fault::new(FaultKind::Protocol, message))
        })
    }

    /// As [`Control::ask`], for what is answered with no more than whether it was done.
    ///
    /// # Errors
    /// As [`Control::ask`].
    pub async fn tell(
        &self,
        method: &'static str,
        params: Value,
        urgency: Urgency,
    ) -> Result<(), Fault> {
        self.ask::<serde::de::IgnoredAny>(method, params, urgency)
            .await
            .map(|_| ())
    }

    /// The answer's bytes.
    ///
    /// # Errors
    /// As [`Control::ask`], without the server's refusals.
    pub async fn raw(
        &self,
        method: &str,
        params: Value,
        urgency: Urgency,
    ) -> Result<bytes::Bytes, Fault> {
        let room = match urgency {
            Urgency::Ordinary => &self.ordinary,
            Urgency::Urgent => &self.urgent,
        };
        let _place = room.try_acquire().map_err(|_| {
            let message = "too many requests to the RE Manager are under way (`requests_most`); try again later";
            Fault::new(FaultKind::Busy, message)
        })?;
        let request = serde_json::json!({"method": method, "params": params}).to_string();
        let mut socket = self.socket().await?;
        let exchange = async {
            // The empty frame is what a REQ socket puts in front.
            socket.send(&[b"", request.as_bytes()]).await?;
            socket.receive().await
        };
        let frames = timeout(self.reply_deadline, exchange)
            .await
            .unwrap_or(Err(SocketError::Silent))
            .map_err(|error| self.no_answer(method, &error))?;
        let [empty, body] = &frames[..] else {
            return Err(Fault::new(
                FaultKind::Protocol,
                "the RE Manager's answer has another number of frames than two",
            ));
        };
        if !empty.is_empty() {
            let message = "the RE Manager's answer does not begin with an empty frame";
            return Err(Fault::new(FaultKind::Protocol, message));
        }
        self.keep(socket);
        Ok(body.clone())
    }

    /// Lets go of what is open.
    pub fn close(&self) {
        self.lock().clear();
    }

    async fn socket(&self) -> Result<Socket, Fault> {
        loop {
            let idle = self.lock().pop();
            match idle {
                Some(socket) if socket.is_stale() => {}
                Some(socket) => return Ok(socket),
                None => break,
            }
        }
        let connect = Socket::connect(&self.address, Kind::Req, self.limit, self.connect_deadline);
        connect.await.map_err(|error| {
            let message = format!(
                "no connection to the RE Manager at {}: {error}",
                self.address
            );
            Fault::new(FaultKind::Unavailable, message)
        })
    }

    fn keep(&self, socket: Socket) {
        let mut idle = self.lock();
        if idle.len() < IDLE_MOST {
            idle.push(socket);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Socket>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_answer(&self, method: &str, error: &SocketError) -> Fault {
        if let SocketError::Zmtp(ZmtpError::TooLarge { .. }) = error {
            let message = format!("the RE Manager's answer to `{method}` is too long: {error}");
            return Fault::new(FaultKind::TooLarge, message);
        }
        let (kind, meaning) = match refusal::changes(method) {
            true => (
                FaultKind::UnknownOutcome,
                "it may or may not have been done; look before you ask again",
            ),
            false => (FaultKind::Unavailable, "try again later"),
        };
        let message = format!("the RE Manager did not answer `{method}`: {error}; {meaning}");
        Fault::new(kind, message)
    }
}

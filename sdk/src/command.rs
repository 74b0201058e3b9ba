//! What is asked of a backend, and what it answers.

use crate::RawJson;
use patchbay_abi::head;
use patchbay_abi::{Buffer, Fault, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;

/// One operation of the neutral model, asked in a session.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its name, one of [`crate::model::OPS`].
    pub op: String,
    /// Its arguments, a JSON object.
    pub args: RawJson,
    /// In which session.
    pub session: u64,
    /// The host's number of this request, as it stands in the logs.
    pub id: u64,
    /// What the client calls it, as it stands in the logs, where its protocol has such names.
    pub reference: Option<String>,
    /// When the host answers in the backend's place.
    pub deadline: Instant,
    /// Must not wait behind anything.
    pub urgent: bool,
}

impl Command {
    /// Reads the arguments.
    ///
    /// # Errors
    /// `Invalid`, naming the operation and the field at fault.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        self.args.parse().map_err(|mut fault| {
            fault.message = format!("`{}`: {}", self.op, fault.message);
            fault
        })
    }

    pub(crate) fn read(message: &Message) -> Result<Self, serde_json::Error> {
        let head: head::Call = message.read_head()?;
        Ok(Command {
            op: head.op,
            args: RawJson::from_buffer(message.body.clone()),
            session: head.session,
            id: message.id,
            reference: head.reference,
            deadline: Instant::now() + Duration::from_millis(head.deadline_ms),
            urgent: head.urgent,
        })
    }
}

/// The answer to a [`Command`].
#[derive(Debug, Clone)]
pub struct Reply {
    /// A JSON value in the form that the model gives for the operation.
    pub body: RawJson,
    /// Binary data that the body refers to by position.
    pub blobs: Vec<Buffer>,
}

impl Reply {
    /// A value as the answer.
    ///
    /// # Errors
    /// `Internal` if it cannot be written as JSON.
    pub fn new(value: &(impl Serialize + ?Sized)) -> Result<Self, Fault> {
        RawJson::new(value).map(Reply::raw)
    }

    /// JSON as the answer, unparsed.
    pub fn raw(body: RawJson) -> Self {
        Reply {
            body,
            blobs: Vec::new(),
        }
    }

    /// Done, and nothing to say: `null`.
    pub fn null() -> Self {
        Reply::raw(RawJson::null())
    }
}

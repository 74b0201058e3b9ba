//! What is asked of a backend, and what it answers.

use crate::RawJson;
use patchbay_abi::head;
use patchbay_abi::{Buffer, Fault, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;

/// One operation of the neutral model, asked in a session.
///
/// ```
/// # use patchbay_sdk::{Command, RawJson};
/// #[derive(serde::Deserialize)]
/// struct Submit {
///     code: String,
/// }
///
/// # fn asked(args: &str) -> Command {
/// #     Command {
/// #         op: "submit".into(), args: RawJson::from_string(args.into()).unwrap(), session: 1, id: 7, reference: None,
/// #         deadline: tokio::time::Instant::now(), urgent: false,
/// #     }
/// # }
/// let command: Command = asked(r#"{"code": "count(1)"}"#);
/// assert_eq!(command.args::<Submit>()?.code, "count(1)");
/// let fault = asked("{}").args::<Submit>().err().unwrap();
/// assert!(fault.message.starts_with("`submit`: missing field `code`"));
/// # Ok::<(), patchbay_sdk::Fault>(())
/// ```
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
///
/// ```
/// # use patchbay_sdk::{RawJson, Reply};
/// assert_eq!(Reply::new(&["a", "b"])?.body.get(), r#"["a","b"]"#);
/// assert_eq!(Reply::null().body.get(), "null");
/// let of_the_server = RawJson::from_string(r#"{"beam": 12.5}"#.into())?;
/// assert_eq!(Reply::raw(of_the_server).body.get(), r#"{"beam": 12.5}"#);
/// # Ok::<(), patchbay_sdk::Fault>(())
/// ```
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

//! What a backend tells without being asked.

use crate::RawJson;
use patchbay_abi::head;
use patchbay_abi::{Buffer, Fault, Kind, Message};
use serde::Serialize;

/// One event of a backend; the host numbers it and hands it to all who listen.
///
/// ```
/// # use patchbay_sdk::{Event, EventKind};
/// let event = Event::new(EventKind::Log, &serde_json::json!({ "text": "done" }))?.job("0f6c");
/// assert_eq!((event.kind.as_str(), event.job.as_deref()), ("log", Some("0f6c")));
/// # Ok::<(), patchbay_sdk::Fault>(())
/// ```
#[derive(Debug, Clone)]
pub struct Event {
    /// What it is about.
    pub kind: EventKind,
    /// The job that it belongs to, where the server says so.
    pub job: Option<String>,
    /// The only session that it is for; `None` if it is for everybody.
    pub session: Option<u64>,
    /// A JSON object in the form that the model gives for the kind.
    pub body: RawJson,
    /// Binary data that the body refers to by position.
    pub blobs: Vec<Buffer>,
}

impl Event {
    /// An event with a body.
    ///
    /// # Errors
    /// `Internal` if the body cannot be written as JSON.
    pub fn new(kind: EventKind, body: &(impl Serialize + ?Sized)) -> Result<Self, Fault> {
        Ok(Event {
            kind,
            job: None,
            session: None,
            body: RawJson::new(body)?,
            blobs: Vec::new(),
        })
    }

    /// Belongs to that job.
    #[must_use]
    pub fn job(mut self, job: impl Into<String>) -> Self {
        self.job = Some(job.into());
        self
    }

    /// Is private: only for the client of that session, by [`crate::Login::session`]. The host does
    /// not keep it; if the client has no room for it or is gone, it is counted and dropped.
    #[must_use]
    pub fn session(mut self, session: u64) -> Self {
        self.session = Some(session);
        self
    }

    /// Refers to binary data.
    ///
    /// ```
    /// # use patchbay_sdk::{Buffer, Event, EventKind};
    /// let image = Buffer::from(vec![0x89, b'P', b'N', b'G']);
    /// let body = serde_json::json!({ "event": "preview", "value": { "blob": 0 } });
    /// let event = Event::new(EventKind::Native, &body)?.blobs([image]);
    /// assert_eq!(event.blobs[0].len(), 4);
    /// # Ok::<(), patchbay_sdk::Fault>(())
    /// ```
    #[must_use]
    pub fn blobs(mut self, blobs: impl IntoIterator<Item = Buffer>) -> Self {
        self.blobs = blobs.into_iter().collect();
        self
    }

    pub(crate) fn into_message(self) -> Message {
        let head = head::Event {
            epoch: 0,
            seq: 0,
            time: 0.0,
            kind: self.kind.as_str().to_owned(),
            job: self.job,
            session: self.session,
        };
        Message::new(Kind::EVENT, 0, &head)
            .body(self.body.into_buffer())
            .blobs(self.blobs)
    }
}

macro_rules! event_kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal)+) => {
        /// What an event is about. In JSON: the name in kebab-case.
        ///
        /// ```
        /// # use patchbay_sdk::EventKind;
        /// assert_eq!(EventKind::PromptDone.as_str(), "prompt-done");
        /// assert_eq!(EventKind::from("shutter"), EventKind::Other("shutter".into()));
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $($(#[doc = $doc])+ $name,)+
            /// A kind of a newer plugin.
            Other(String),
        }

        impl EventKind {
            /// The name in JSON.
            pub fn as_str(&self) -> &str {
                match self {
                    $(EventKind::$name => $text,)+
                    EventKind::Other(name) => name,
                }
            }
        }

        impl From<&str> for EventKind {
            fn from(name: &str) -> Self {
                match name {
                    $($text => EventKind::$name,)+
                    other => EventKind::Other(other.to_owned()),
                }
            }
        }
    };
}

event_kinds! {
    /// The connection to the script server.
    Link = "link"
    /// What the script server does, and at which line it is.
    State = "state"
    /// A job's life.
    Job = "job"
    /// The order of waiting jobs.
    Queue = "queue"
    /// A line of output.
    Log = "log"
    /// Measured data.
    Data = "data"
    /// The values of watched expressions.
    Watch = "watch"
    /// A script asks a question.
    Prompt = "prompt"
    /// The question is settled.
    PromptDone = "prompt-done"
    /// A dry run's results.
    Simulation = "simulation"
    /// The environment was opened, closed, changed.
    Environment = "environment"
    /// Who controls.
    Control = "control"
    /// What the script server can do has changed.
    Capabilities = "capabilities"
    /// Events were lost for this reader; ask for the state anew.
    Gap = "gap"
    /// What the model has no name for.
    Native = "native"
}

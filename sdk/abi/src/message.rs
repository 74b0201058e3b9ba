//! The one thing that crosses the boundary.

use crate::{Buffer, Secret};
use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RVec};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a message is about; the conversation is specified here.
///
/// An instance's life: the host opens it and sends `START`; the plugin answers `READY` or `FAILED`.
/// The host sends `STOP`; the plugin finishes what it has and answers `STOPPED`. An instance that
/// fails on its way says `FAILED`. Once it is ready the host sends a `PING` now and then, the next one only after the
/// `PONG` that answers the one before; an instance that answers none for too long is given up.
///
/// A client's request: the frontend sends `LOGIN`, `CALL` with an id of its own; the host sends the
/// same kinds to the backend with an id of *its* own; `REPLY` comes back the same way. Each `LOGIN`
/// and `CALL` is answered by exactly one `REPLY`, unless it was cancelled. `CANCEL` is a wish: what
/// a backend has already sent to its server is not undone.
///
/// Events: a backend sends `EVENT` whenever it likes. A frontend sends `SUBSCRIBE` once and
/// `CREDIT` as it reads; the host never sends more `EVENT`s than there is credit.
///
/// A kind that a side does not know is ignored by it, so that newer sides may say more.
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind(pub u16);

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal)+) => {
        impl Kind {
            $($(#[doc = $doc])+ pub const $name: Kind = Kind($number);)+

            /// The name as it stands here, in capitals; `None` for a kind of a newer side.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }

            /// The kind of that name, in letters of any size; `None` for a kind of a newer side.
            pub fn from_name(name: &str) -> Option<Kind> {
                $(if name.eq_ignore_ascii_case(stringify!($name)) {
                    return Some(Kind($number));
                })+
                None
            }
        }
    };
}

kinds! {
    /// Host → plugin. Head [`crate::head::Start`], body: the instance's configuration.
    START = 1
    /// Plugin → host: serves from now on. No head.
    READY = 2
    /// Plugin → host: cannot start, or cannot go on. Head [`crate::Fault`].
    FAILED = 3
    /// Host → plugin: finish. Head [`crate::head::Stop`].
    STOP = 4
    /// Plugin → host: has finished; nothing follows but log lines. What it has not answered the host answers.
    STOPPED = 5
    /// Host → plugin: log level. Head [`crate::head::Level`].
    LEVEL = 6
    /// Frontend → host → backend. Head [`crate::head::Login`], with the secret beside it.
    LOGIN = 7
    /// Frontend → host → backend: the session is over. Head [`crate::head::Logout`].
    LOGOUT = 8
    /// Frontend → host → backend. Head [`crate::head::Call`], body: the arguments as JSON.
    CALL = 9
    /// Frontend → host → backend: nobody waits for request `id` any more. No head.
    CANCEL = 10
    /// Backend → host → frontend: answers request `id`. Head [`crate::head::Reply`], body: JSON.
    REPLY = 11
    /// Backend → host → frontend. Head [`crate::head::Event`], body: JSON.
    EVENT = 12
    /// Frontend → host: wants events of its route. Head [`crate::head::Subscribe`]. With an id it is
    /// answered by a `REPLY` with a [`crate::head::Position`].
    SUBSCRIBE = 13
    /// Frontend → host: room for more events. Head [`crate::head::Credit`].
    CREDIT = 14
    /// Plugin → host: a log line. Head [`crate::head::Log`].
    LOG = 15
    /// Plugin → host: something was counted, or measured. Head [`crate::head::Metric`].
    METRIC = 16
    /// Plugin → host: how it is. Head [`crate::head::Health`].
    HEALTH = 17
    /// Host → plugin: is anybody there? No head.
    PING = 18
    /// Plugin → host: answers a `PING` by its id, from the thread on which the instance does its work. No head.
    PONG = 19
}

/// A kind, a correlation id, a small JSON head, a JSON body that most hops never parse, and blobs.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct Message {
    /// What it is about.
    pub kind: Kind,
    /// Which request it belongs to, in the numbering of the side that asked; 0 where none.
    pub id: u64,
    /// A small JSON object, one of [`crate::head`]; empty where the kind has none.
    pub head: Buffer,
    /// JSON without raw newlines, or empty.
    pub body: Buffer,
    /// Binary data that the body refers to by position.
    pub blobs: RVec<Buffer>,
    /// A password; only in a `LOGIN`.
    pub secret: ROption<Secret>,
}

impl Message {
    /// A message without head and body.
    pub fn bare(kind: Kind, id: u64) -> Self {
        Message {
            kind,
            id,
            head: Buffer::empty(),
            body: Buffer::empty(),
            blobs: RVec::new(),
            secret: ROption::RNone,
        }
    }

    /// A message with a head. A head that cannot be written as JSON becomes an empty one, which the
    /// receiver refuses; the heads of this crate can all be written.
    pub fn new(kind: Kind, id: u64, head: &impl Serialize) -> Self {
        Message {
            head: serde_json::to_vec(head).unwrap_or_default().into(),
            ..Message::bare(kind, id)
        }
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Buffer>) -> Self {
        self.body = body.into();
        self
    }

    /// With blobs.
    #[must_use]
    pub fn blobs(mut self, blobs: impl IntoIterator<Item = Buffer>) -> Self {
        self.blobs = blobs.into_iter().collect();
        self
    }

    /// With a secret.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = ROption::RSome(secret);
        self
    }

    /// Reads the head.
    ///
    /// # Errors
    /// If it is not the JSON that the kind demands.
    pub fn read_head<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.head)
    }

    /// What the message weighs: head, body and blobs, in bytes.
    pub fn weight(&self) -> usize {
        self.head.len() + self.body.len() + self.blobs.iter().map(|blob| blob.len()).sum::<usize>()
    }
}

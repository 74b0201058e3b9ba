//! What a backend tells, as a frontend hears it.

use crate::gateway::Link;
use crate::{EventKind, RawJson};
use patchbay_abi::{Buffer, Message, head};
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many events may be on their way to a frontend that has not read them yet.
pub(crate) const EVENT_WINDOW: u32 = 256;

/// The events of a backend, in order.
///
/// [`Events::next`] may be one branch of a `tokio::select!`: a call of it that is dropped loses nothing.
///
/// ```
/// use patchbay_sdk::{Gateway, Stop};
///
/// async fn count(gateway: &Gateway, stop: &Stop) -> u64 {
///     let (mut events, mut counted) = (gateway.events(), 0);
///     loop {
///         tokio::select! {
///             () = stop.wait() => return counted,
///             event = events.next() => match event {
///                 Some(_) => counted += 1,
///                 None => return counted,
///             },
///         }
///     }
/// }
/// ```
pub struct Events {
    link: Arc<Link>,
    unread: Option<mpsc::Receiver<Message>>,
    read: u32,
}

/// One event, as the host hands it out.
///
/// ```
/// # use patchbay_sdk::{EventKind, GatewayEvent};
/// fn line(event: &GatewayEvent) -> String {
///     let number = format!("{}:{}", event.epoch, event.seq);
///     match &event.kind {
///         EventKind::Gap => format!("{number} some were missed"),
///         kind => format!("{number} {} {}", kind.as_str(), event.body.get()),
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct GatewayEvent {
    /// Which life of the backend.
    pub epoch: u64,
    /// Its number therein; counts up by one. That of a private event is the number of the one before.
    pub seq: u64,
    /// Seconds since 1970.
    pub time: f64,
    /// What it is about.
    pub kind: EventKind,
    /// The job that it belongs to, where that is known.
    pub job: Option<String>,
    /// The only session that it is for, by [`crate::Session::id`]; it is shown to nobody else.
    /// `None` if it is for everybody.
    pub session: Option<u64>,
    /// A JSON object in the form that the model gives for the kind.
    pub body: RawJson,
    /// Binary data that the body refers to by position.
    pub blobs: Vec<Buffer>,
}

impl Events {
    pub(crate) fn new(link: Arc<Link>, unread: Option<mpsc::Receiver<Message>>) -> Self {
        Events {
            link,
            unread,
            read: 0,
        }
    }

    /// The next one; waits for it. `None` when there will be none.
    pub async fn next(&mut self) -> Option<GatewayEvent> {
        loop {
            let message = self.unread.as_mut()?.recv().await?;
            self.read += 1;
            if self.read == EVENT_WINDOW / 4 {
                self.link.grant(std::mem::take(&mut self.read));
            }
            match GatewayEvent::read(message) {
                Ok(event) => return Some(event),
                Err(error) => tracing::error!(%error, "a broken event from the host"),
            }
        }
    }
}

impl GatewayEvent {
    fn read(message: Message) -> Result<Self, serde_json::Error> {
        let head: head::Event = message.read_head()?;
        Ok(GatewayEvent {
            epoch: head.epoch,
            seq: head.seq,
            time: head.time,
            kind: head.kind.as_str().into(),
            job: head.job,
            session: head.session,
            body: RawJson::from_buffer(message.body),
            blobs: message.blobs.into_iter().collect(),
        })
    }
}

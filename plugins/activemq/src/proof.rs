//! The part of the reading connection that listens to who comes and goes, and proves that it is told.

use tokio::time::{Instant, timeout_at};

use crate::advisory::{Advisory, TOPICS};
use crate::consumer::Consumer;
use crate::stomp::text::decode;
use crate::stomp::{Body, ClientFrame, Incoming, LinkError, MessageFrame, Outgoing};

/// What the ids of these subscriptions begin with; see [`Consumer::nonce`].
const ADVISORIES: &str = "advisories-";

impl Consumer {
    /// First of all, so that a request whose sender has gone is recognised. The outcome is what is wrong, if nothing is
    /// to be heard.
    pub async fn listen_to_advisories(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &Outgoing,
    ) -> Result<Option<String>, LinkError> {
        if !self.desk.settings.advisories {
            return Ok(None);
        }
        let Err(cause) = self.prove(incoming, outgoing).await? else {
            self.desk.presence().rely();
            return Ok(None);
        };
        let cause = format!(
            "no advisories from the broker: {cause}; requests whose sender has gone are carried out, and clients that vanish are noticed late"
        );
        tracing::warn!(cause, "the broker does not tell who comes and goes");
        Ok(Some(cause))
    }

    /// Makes a temporary queue and waits for the broker to tell of it. What a new listener is told of the others comes
    /// before, so that all who live are known then.
    async fn prove(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &Outgoing,
    ) -> Result<Result<(), String>, LinkError> {
        let Some(own) = incoming.session().map(str::to_owned) else {
            return Ok(Err("it does not say what our connection is called".into()));
        };
        let topics = TOPICS.map(|topic| format!("/topic/{topic}"));
        let probe = format!("probe-{}", self.nonce);
        for (number, topic) in topics.iter().enumerate() {
            let id = format!("{ADVISORIES}{}-{number}", self.nonce);
            let frame = ClientFrame::subscribe(topic, &id);
            if let Some(error) = self.ask(incoming, outgoing, frame, &id).await? {
                return Ok(Err(error.message));
            }
        }
        let frame = ClientFrame::subscribe(format!("/temp-queue/{probe}"), &probe);
        if let Some(error) = self.ask(incoming, outgoing, frame, &probe).await? {
            return Ok(Err(error.message));
        }
        let heard = self.hear_of(&own, incoming, outgoing).await?;
        outgoing.send(ClientFrame::unsubscribe(probe)).await?;
        let silence = "they do not arrive (has it XStream and Jettison on its class path?)";
        Ok(heard.then_some(()).ok_or_else(|| silence.to_owned()))
    }

    async fn hear_of(
        &mut self,
        own: &str,
        incoming: &mut Incoming,
        outgoing: &Outgoing,
    ) -> Result<bool, LinkError> {
        let end = Instant::now() + self.desk.settings.advisories_within;
        while !self.desk.presence().has_queue_of(own) {
            let Ok(event) = timeout_at(end, incoming.next()).await else {
                return Ok(false);
            };
            self.handle(event?, outgoing).await;
        }
        Ok(true)
    }

    /// Whether a message of that subscription is the broker's word.
    pub fn is_advisory(&self, subscription: &str) -> bool {
        let rest = subscription.strip_prefix(ADVISORIES);
        rest.is_some_and(|rest| rest.starts_with(&*self.nonce))
    }

    /// Takes an advisory in.
    pub fn advisory(&self, message: &MessageFrame) {
        let Body::Text(text) = &message.body else {
            return;
        };
        if let Some(advisory) = Advisory::read(&decode(text)) {
            self.desk.note(&advisory);
        }
    }
}

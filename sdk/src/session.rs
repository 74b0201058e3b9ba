//! A client, as a frontend holds it.

use crate::gateway::Link;
use crate::{RawJson, Reply, Role};
use patchbay_abi::{Fault, Kind, Message, head};
use std::sync::Arc;

/// A client that is logged in. Clones are the same session; the last one to go logs out.
#[derive(Clone)]
pub struct Session {
    inner: Arc<SessionInner>,
}

struct SessionInner {
    link: Arc<Link>,
    id: u64,
    role: Role,
    detail: Option<RawJson>,
}

impl Session {
    pub(crate) fn new(link: Arc<Link>, granted: head::Session, detail: Option<RawJson>) -> Self {
        let inner = SessionInner {
            link,
            id: granted.session,
            role: Role::from_name(&granted.role).unwrap_or(Role::View),
            detail,
        };
        Session {
            inner: Arc::new(inner),
        }
    }

    /// The host's number of it, as it stands in the logs.
    pub fn id(&self) -> u64 {
        self.inner.id
    }

    /// What it may do; the host enforces it.
    pub fn role(&self) -> Role {
        self.inner.role
    }

    /// What the backend said at the login, if anything.
    pub fn detail(&self) -> Option<&RawJson> {
        self.inner.detail.as_ref()
    }

    /// Asks the backend, and waits for its answer; until the host's deadline at the latest. A
    /// future that is dropped tells the backend not to bother.
    ///
    /// # Errors
    /// What the backend, or in its place the host, says.
    pub async fn call(&self, op: &str, args: RawJson) -> Result<Reply, Fault> {
        let head = head::Call {
            session: self.inner.id,
            op: op.to_owned(),
            deadline_ms: 0,
            urgent: false,
        };
        let ask = |id| Message::new(Kind::CALL, id, &head).body(args.into_buffer());
        let reply = self.inner.link.ask(ask).await?;
        Ok(Reply {
            blobs: reply.blobs.into_iter().collect(),
            body: RawJson::from_buffer(reply.body),
        })
    }
}

impl Drop for SessionInner {
    fn drop(&mut self) {
        self.link.say_logout(self.id);
    }
}

//! A client, as a frontend holds it.

use crate::gateway::{Link, NO_SESSION};
use crate::{RawJson, Reply, Role};
use patchbay_abi::{Fault, head};
use std::sync::Arc;

/// A client that is logged in. Clones are the same session; the last one to go logs out.
///
/// ```
/// use patchbay_sdk::{Fault, RawJson, Session};
///
/// async fn submit(session: &Session, id: &str, code: &str) -> Result<String, Fault> {
///     let args = RawJson::new(&serde_json::json!({ "code": code }))?;
///     let reply = session.named(id).call("submit", args).await?;
///     Ok(reply.body.get().to_owned())
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    inner: Arc<SessionInner>,
    /// What the client calls what is asked through this one.
    reference: Option<Arc<str>>,
}

/// A longer name of a client's for its request is cut off, in bytes.
const LONGEST_REFERENCE: usize = 128;

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
            reference: None,
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
    ///
    /// ```
    /// # use patchbay_sdk::{Fault, Session};
    /// fn greeting(session: &Session) -> Result<String, Fault> {
    ///     // JSON of the backend's choice: `BackendSession::detail`.
    ///     let detail = session.detail().map_or("null", |detail| detail.get());
    ///     Ok(format!("welcome, session {}: {detail}", session.id()))
    /// }
    /// ```
    pub fn detail(&self) -> Option<&RawJson> {
        self.inner.detail.as_ref()
    }

    /// The same session, in which what is asked stands in all logs under the client's own name for it, too: the id that
    /// its protocol gives a request. It need not be unique.
    #[must_use]
    pub fn named(&self, reference: &str) -> Session {
        let cut = reference.floor_char_boundary(LONGEST_REFERENCE);
        let reference = reference.get(..cut).map(Arc::from);
        Session {
            inner: self.inner.clone(),
            reference,
        }
    }

    fn head(&self, session: u64, op: &str, key: Option<&str>) -> head::Call {
        head::Call {
            reference: self.reference.as_deref().map(str::to_owned),
            ..Link::head(session, op, key)
        }
    }

    /// Asks the backend, and waits for its answer; until the host's deadline at the latest. A
    /// future that is dropped tells the backend not to bother.
    ///
    /// # Errors
    /// What the backend, or in its place the host, says.
    pub async fn call(&self, op: &str, args: RawJson) -> Result<Reply, Fault> {
        let head = self.head(self.inner.id, op, None);
        self.inner.link.call(head, args).await
    }

    /// As [`Session::call`], and at most once for each `key`: the host notes the key on disk before
    /// it asks the backend (for operations with [`crate::model::Op::once`]; for others the key is
    /// nothing). The same key again, even after a restart of the gateway, gets the same answer and
    /// nothing is done. A key is unique within a frontend; it may be public, and be as long as a
    /// client's address and message id are.
    ///
    /// # Errors
    /// As [`Session::call`]; `Conflict` if the key was used for something else, and `UnknownOutcome`
    /// if the gateway was interrupted and cannot find out what became of it.
    pub async fn call_once(&self, op: &str, args: RawJson, key: &str) -> Result<Reply, Fault> {
        let head = self.head(self.inner.id, op, Some(key));
        self.inner.link.call(head, args).await
    }

    /// What became of a request of [`Session::call_once`], as [`crate::Gateway::recall`]; it is not carried out. If only
    /// the backend can tell, it is asked in this session.
    ///
    /// ```
    /// use patchbay_sdk::{Fault, Gateway, RawJson, Reply, Session};
    ///
    /// /// A message has come again. Its client may have logged in anew since it was first sent, or not.
    /// async fn again(
    ///     gateway: &Gateway,
    ///     session: Option<&Session>,
    ///     message: &str,
    ///     args: RawJson,
    /// ) -> Result<Reply, Fault> {
    ///     match session {
    ///         Some(session) => session.recall("submit", args, message).await,
    ///         None => gateway.recall("submit", args, message).await,
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`crate::Gateway::recall`].
    pub async fn recall(&self, op: &str, args: RawJson, key: &str) -> Result<Reply, Fault> {
        let head = head::Call {
            asker: Some(self.inner.id),
            ..self.head(NO_SESSION, op, Some(key))
        };
        self.inner.link.call(head, args).await
    }
}

impl Drop for SessionInner {
    fn drop(&mut self) {
        self.link.say_logout(self.id);
    }
}

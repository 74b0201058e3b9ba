//! A client that is logged in.

use std::sync::Arc;

use patchbay_sdk::Session;

/// Who somebody is.
#[derive(Clone)]
pub struct Member {
    /// As what they are logged in.
    pub session: Session,
    /// As whom they said they are; their keys are theirs alone.
    pub user: Arc<str>,
}

//! A job, with its script.

use std::sync::Arc;

use patchbay_sdk::model::JobRecord;

/// A job with its script.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What everybody may know of it.
    pub record: JobRecord,
    /// Its text.
    pub code: Arc<str>,
}

impl Job {
    /// What to call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.record.name.as_deref().unwrap_or("script")
    }

    /// Who asked for it.
    #[must_use]
    pub fn user(&self) -> &str {
        self.record.user.as_deref().unwrap_or_default()
    }
}

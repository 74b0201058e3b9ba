//! What a script server does.

use super::words::words;

words! {
    /// What a script server does.
    ///
    /// ```
    /// # use patchbay_sdk::model::Run;
    /// assert_eq!(serde_json::to_string(&Run::IdleAfterFailure)?, r#""idle-after-failure""#);
    /// assert_eq!(serde_json::from_str::<Run>(r#""running""#)?, Run::Running);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Run {
        /// Nothing runs.
        Idle = "idle",
        /// Nothing runs, and the last job failed or was stopped.
        IdleAfterFailure = "idle-after-failure",
        /// What jobs run in is being opened.
        Starting = "starting",
        /// A job runs.
        Running = "running",
        /// A job is to be held, and is not yet.
        Pausing = "pausing",
        /// A job is held.
        Paused = "paused",
        /// A job is being stopped.
        Stopping = "stopping",
        /// What jobs run in does not live any more, and the server does not notice: it needs mending by an expert.
        Wedged = "wedged",
        else
        /// Not known: the link is down, or the server says something new.
        Unknown = "unknown",
    }
}

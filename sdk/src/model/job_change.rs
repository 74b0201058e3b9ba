//! What happens to a job.

use super::words::words;

words! {
    /// What happens to a job, as `job` events tell it.
    ///
    /// ```
    /// # use patchbay_sdk::model::JobChange;
    /// assert_eq!(serde_json::to_string(&JobChange::Started)?, r#""started""#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    JobChange {
        /// It waits for its turn.
        Queued = "queued",
        /// It runs.
        Started = "started",
        /// It is held.
        Paused = "paused",
        /// It goes on.
        Resumed = "resumed",
        /// It has another text.
        Edited = "edited",
        /// It was taken from the queue.
        Removed = "removed",
        /// It has ended; its outcome says how.
        Finished = "finished",
        else
        /// It goes on as it did, and more is known of it.
        Progress = "progress",
    }
}

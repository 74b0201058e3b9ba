//! Where a job is in its life.

use super::words::words;

words! {
    /// Where a job is in its life. An end never changes after it, but for `lost` and `unknown`, which a better word of the
    /// server may still correct.
    ///
    /// ```
    /// # use patchbay_sdk::model::JobState;
    /// assert_eq!(serde_json::to_string(&JobState::Succeeded)?, r#""succeeded""#);
    /// assert!(JobState::Paused.is_live() && !JobState::Lost.is_live());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    JobState {
        /// Waits for its turn.
        Queued = "queued",
        /// Runs.
        Running = "running",
        /// Is held.
        Paused = "paused",
        /// Ended, and the server said that it succeeded.
        Succeeded = "succeeded",
        /// Ended by an error or a stop.
        Failed = "failed",
        /// Was taken from the queue.
        Removed = "removed",
        /// Was with a server, or an environment in it, that is no more.
        Lost = "lost",
        else
        /// Ended while nobody could see how.
        Unknown = "unknown",
    }
}

impl JobState {
    /// Whether the job has not ended.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Paused)
    }
}

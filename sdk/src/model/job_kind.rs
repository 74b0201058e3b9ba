//! What a job is.

use super::words::words;

words! {
    /// What a job is.
    ///
    /// ```
    /// # use patchbay_sdk::model::JobKind;
    /// assert_eq!(serde_json::to_string(&JobKind::Script)?, r#""script""#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    JobKind {
        /// Python text.
        Script = "script",
        /// A plan with parameters.
        Plan = "plan",
        /// An order to the queue, such as to stop.
        Instruction = "instruction",
        else
        /// Something that the model has no word for.
        Native = "native",
    }
}

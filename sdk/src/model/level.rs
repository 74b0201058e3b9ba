//! How important a message is.

use super::words::words;

words! {
    /// How important a message is.
    ///
    /// ```
    /// # use patchbay_sdk::model::Level;
    /// assert_eq!(serde_json::to_string(&Level::Warning)?, r#""warning""#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Level {
        /// For those who look for a mistake.
        Debug = "debug",
        /// What is being done at the moment.
        Action = "action",
        /// What somebody has given to be run.
        Input = "input",
        /// Something may be wrong.
        Warning = "warning",
        /// Something is wrong.
        Error = "error",
        else
        /// Anything else.
        Info = "info",
    }
}

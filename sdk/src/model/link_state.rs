//! Whether a script server can be reached.

use super::words::words;

words! {
    /// Whether a script server can be reached. The host reads this of each status.
    ///
    /// ```
    /// # use patchbay_sdk::model::LinkState;
    /// assert_eq!(serde_json::to_string(&LinkState::Up)?, r#""up""#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    LinkState {
        /// It can.
        Up = "up",
        /// It cannot.
        Down = "down",
        else
        /// Not yet known.
        Connecting = "connecting",
    }
}

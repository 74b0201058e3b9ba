//! `native`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The arguments of `native`: a method of the server's own.
///
/// ```
/// # use patchbay_sdk::model::args::Native;
/// let native: Native = serde_json::from_str(r#"{"method":"getversion","params":[1]}"#)?;
/// assert_eq!((&*native.method, native.params[0].get()), ("getversion", "1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Native {
    /// Its name.
    pub method: String,
    /// What it takes, in order, each as the client has written it.
    #[serde(default)]
    pub params: Vec<Box<RawValue>>,
}

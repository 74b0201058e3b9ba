//! `find`.

use serde::{Deserialize, Serialize};

use super::Submit;

/// The arguments of `find`, which the host asks after a `submit` whose answer nobody saw.
///
/// ```
/// # use patchbay_sdk::model::args::Find;
/// let find: Find = serde_json::from_str(r#"{"submit":{"code":"count(1)"},"since":1795000000.5}"#)?;
/// assert_eq!(find.submit.code, "count(1)");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Find {
    /// What was asked for.
    pub submit: Submit,
    /// Not before that, in Unix seconds by the gateway's clock.
    pub since: f64,
}

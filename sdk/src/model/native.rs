//! What a server itself said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::RawJson;

/// What a server itself said, for clients that know it: unparsed, under the name of its kind.
///
/// ```
/// # use patchbay_sdk::{RawJson, model::Native};
/// let native = Native::new("nicos", RawJson::new(&[0, 3])?);
/// assert_eq!(RawJson::new(&native)?.get(), r#"{"nicos":[0,3]}"#);
/// # Ok::<(), patchbay_sdk::Fault>(())
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Native(pub BTreeMap<String, RawJson>);

impl Native {
    /// What a server of that kind said.
    #[must_use]
    pub fn new(server: &str, said: RawJson) -> Self {
        Self(BTreeMap::from([(server.to_owned(), said)]))
    }
}

//! Where a plugin listens, in its configuration.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An address to listen on, `host:port`. It is an ordinary text; but because the schema says what it is for, `patchbay
/// check` finds out beforehand whether the port is in use, or is given twice. Only fields of the configuration itself
/// are looked at, not those of tables in it.
///
/// A plugin that listens somewhere if it is told nothing says so in its schema:
/// `#[schemars(extend("x-listens-at" = "127.0.0.1:1310"))]` beside its configuration.
///
/// ```
/// use patchbay_sdk::ListenAddress;
/// use patchbay_sdk::schemars::{self, JsonSchema};
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Config {
///     /// Where to listen.
///     listen: ListenAddress,
/// }
///
/// let config: Config = serde_json::from_str(r#"{"listen": "127.0.0.1:1310"}"#)?;
/// let address: &str = &config.listen;
/// assert_eq!(address, "127.0.0.1:1310");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListenAddress(pub String);

impl std::ops::Deref for ListenAddress {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

impl JsonSchema for ListenAddress {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ListenAddress".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "listen-address" })
    }
}

/// A socket file to listen on, for which the same holds as for [`ListenAddress`].
///
/// ```
/// # use patchbay_sdk::ListenFile;
/// let file: ListenFile = serde_json::from_str(r#""/run/mine/clients.sock""#)?;
/// assert!(file.0.is_absolute());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListenFile(pub std::path::PathBuf);

impl JsonSchema for ListenFile {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ListenFile".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "listen-file" })
    }
}

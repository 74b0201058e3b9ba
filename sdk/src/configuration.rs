//! What an instance's part of the configuration file can be read as.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

/// The settings of an instance: whatever has `Deserialize` and `JsonSchema`. The first reads them, the second lets
/// `patchbay check` find an operator's mistake, and `patchbay explain` show what there is, before anything is started.
///
/// ```
/// use patchbay_sdk::schemars::{self, JsonSchema};
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Config {
///     /// Where the server is: `host:port`.
///     address: String,
///     /// How long it may take to answer, in seconds.
///     #[serde(default = "ten")]
///     timeout_s: u64,
/// }
///
/// fn ten() -> u64 {
///     10
/// }
/// # fn takes<C: patchbay_sdk::Configuration>() {}
/// # takes::<Config>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold an instance's configuration",
    label = "needs `Deserialize`, `JsonSchema` and `Send`, and must borrow nothing",
    note = "put `#[derive(serde::Deserialize, JsonSchema)]` on it, with `use patchbay_sdk::schemars::{{self, JsonSchema}};`",
    note = "types of its fields need both as well; a field of a foreign type can say `#[schemars(with = \"String\")]`"
)]
pub trait Configuration: Send + Sized + 'static {
    /// Reads an instance's part of the file. (As methods rather than as `trait Configuration: DeserializeOwned + JsonSchema`,
    /// because for those the compiler would speak of Serde's and Schemars' traits, and not say what is written above.)
    #[doc(hidden)]
    fn read(json: &[u8]) -> Result<Self, serde_json::Error>;

    /// What may stand in it.
    #[doc(hidden)]
    fn schema() -> Schema;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema + Send + 'static> Configuration for T {
    fn read(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    fn schema() -> Schema {
        SchemaGenerator::default().into_root_schema_for::<T>()
    }
}

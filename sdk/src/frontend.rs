//! What a frontend is.

use crate::{Configuration, Gateway, Stop};
use patchbay_abi::Fault;
use std::future::Future;

/// Speaks to clients. One run of it serves one instance of the configuration.
///
/// ```
/// use patchbay_sdk::schemars::{self, JsonSchema};
/// use patchbay_sdk::{Fault, Frontend, Gateway, Stop};
///
/// /// Logs what happens.
/// struct Diary;
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Config {}
///
/// impl Frontend for Diary {
///     type Config = Config;
///
///     async fn run(_: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
///         let mut events = gateway.events();
///         gateway.ready();
///         loop {
///             tokio::select! {
///                 () = stop.wait() => return Ok(()),
///                 Some(event) = events.next() => tracing::info!(kind = event.kind.as_str(), "heard"),
///             }
///         }
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use patchbay_testkit::{FrontendHost, Wire};
/// # let config = serde_json::json!({});
/// # let host = FrontendHost::start::<Diary>(config, Wire::InProcess, |_| Ok(serde_json::Value::Null)).await.unwrap();
/// # host.stop().await.unwrap();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no frontend",
    label = "is no `patchbay_sdk::Frontend`",
    note = "implement `patchbay_sdk::Frontend` for it: `run`",
    note = "is it a backend, which speaks to a script server? Then say `export!(backend = {Self})`"
)]
pub trait Frontend: Sized + Send + 'static {
    /// The instance's part of the configuration file. Derive `Deserialize` and `JsonSchema`, deny
    /// unknown fields, and document each field: its comment is what operators read.
    type Config: Configuration;

    /// Serves clients until `stop` says otherwise, then answers what it has taken and returns.
    /// Says [`Gateway::ready`] once clients can be served. An error, or a return without having
    /// been asked, is a failure: the host starts the instance anew after a while.
    fn run(
        config: Self::Config,
        gateway: Gateway,
        stop: Stop,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

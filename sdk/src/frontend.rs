//! What a frontend is.

use crate::{Configuration, Gateway, Stop};
use patchbay_abi::Fault;
use std::future::Future;

/// Speaks to clients. One run of it serves one instance of the configuration.
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

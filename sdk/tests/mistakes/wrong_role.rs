//! A frontend that is exported as a backend.

use patchbay_sdk::{Fault, Frontend, Gateway, Stop};

struct Door;

impl Frontend for Door {
    type Config = ();

    async fn run(_: (), gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        gateway.ready();
        stop.wait().await;
        Ok(())
    }
}

patchbay_sdk::export!(backend = Door);

fn main() {}

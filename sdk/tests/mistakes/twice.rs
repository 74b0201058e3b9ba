//! Two plugins in one crate, in different modules.

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

patchbay_sdk::export!(frontend = Door);

mod other {
    patchbay_sdk::export!(frontend = super::Door);
}

fn main() {}

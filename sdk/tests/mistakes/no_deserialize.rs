//! A configuration that can be described, but not read.

use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, Frontend, Gateway, Stop};

#[derive(JsonSchema)]
struct Config {
    listen: String,
}

struct Door;

impl Frontend for Door {
    type Config = Config;

    async fn run(_: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        gateway.ready();
        stop.wait().await;
        Ok(())
    }
}

fn main() {}

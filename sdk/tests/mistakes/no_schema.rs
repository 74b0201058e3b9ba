//! A configuration that can be read, but not described.

use patchbay_sdk::{Fault, Frontend, Gateway, Stop};

#[derive(serde::Deserialize)]
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

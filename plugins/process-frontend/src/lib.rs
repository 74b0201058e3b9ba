//! A frontend that is a program in any language.
//!
//! The counterpart of `plugins/process`, whose `PROTOCOL.md` is the page for the program's author. What is hard about
//! programs `patchbay-child` does; `desk` does what the program asks for its clients.
//!
//! One life of this plugin is one life of the program: when the program ends, the instance fails, its clients are logged out,
//! and the host starts it anew.
#![forbid(unsafe_code)]

mod desk;
mod feed;

use std::sync::Arc;

use patchbay_child::{Child, Program};
use patchbay_sdk::schemars::{self, JsonSchema};
use patchbay_sdk::{Fault, Frontend, Gateway, Health, Stop};
use serde::Deserialize;

use desk::Desk;

/// The frontend.
pub struct ProcessFrontend;

/// `[frontend.config]` of a program.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The program, how it is run, and its limits.
    pub program: Program,
}

impl Frontend for ProcessFrontend {
    type Config = Config;

    async fn run(config: Config, gateway: Gateway, stop: Stop) -> Result<(), Fault> {
        // Its clients tell it their passwords.
        let settings = config.program.resolve(true)?;
        let most = settings.outstanding_most;
        let (child, heard) = Child::start(settings, gateway.instance()).await?;
        let desk = Arc::new(Desk::new(child.clone(), gateway.clone(), most));
        tokio::spawn(desk.listen(heard));
        let served = async {
            match child.ready().await {
                Ok(()) => gateway.ready(),
                Err(why) => return why,
            }
            child.gone().await
        };
        tokio::select! {
            why = served => {
                gateway.health(Health::Down(why.message.clone()));
                Err(why)
            }
            () = stop.wait() => {
                if !child.stop(stop.leave_until()).await {
                    gateway.count("killed_at_stop", 1);
                }
                Ok(())
            }
        }
    }
}

patchbay_sdk::export!(frontend = ProcessFrontend);

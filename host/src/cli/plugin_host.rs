//! `patchbay plugin-host`, which only the gateway says.

use crate::exit::Exit;
use crate::plugin::Room;
use crate::plugin::isolated::child;
use crate::plugin::trust::Digest;
use clap::Args;
use std::path::PathBuf;

/// Run one instance with `isolation = "process"`. The gateway starts it; it is of no use to anybody else.
#[derive(Args)]
#[command(hide = true)]
pub(super) struct PluginHost {
    /// The instance's id.
    #[arg(long)]
    instance: String,
    /// The SHA-256 that the plugin's file must have.
    #[arg(long, value_parser = digest)]
    digest: Digest,
    /// The largest body of a message.
    #[arg(long)]
    body_bytes: usize,
    /// Where the plugin's file was found. It was opened by the gateway.
    path: PathBuf,
}

impl PluginHost {
    pub(super) fn run(self) -> Exit {
        let room = Room {
            body_bytes: self.body_bytes,
        };
        child::run(&self.path, self.digest, &self.instance, room)
    }
}

fn digest(text: &str) -> Result<Digest, &'static str> {
    Digest::read(text).ok_or("not 64 hexadecimal digits")
}

//! `cargo xtask demo --embedded`: the gateway alone, which runs scripts in plain Python. No broker, no daemon, no root.

mod lab;
mod script;

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::outcome::Outcome;
use super::screen::{self, say};
use super::{Args, build};
use crate::signals;
use lab::Lab;

/// Who says how the script has ended.
const SERVER: &str = "Python";

/// Exits with 0 only if the script came to its end.
pub fn run(args: &Args) -> Result<ExitCode> {
    let packages = ["patchbay", "patchbay-python", "patchbay-socket"];
    let binaries = build(args.release, &packages)?;
    show(args, &binaries)
}

fn show(args: &Args, binaries: &Path) -> Result<ExitCode> {
    screen::heading("Starting the gateway, which runs scripts in a Python of its own");
    let mut lab = Lab::start(binaries)?;
    screen::heading("A script, sent over the gateway's socket");
    let outcome = script::run(&mut lab)?;
    say(&format!("\n{}", outcome.sentence(SERVER)));
    let stays = !args.once && (outcome == Outcome::Succeeded || args.keep_going);
    if stays {
        say(&lab.help());
        while !signals::are_caught() {
            lab.check()?;
            thread::sleep(Duration::from_millis(100));
        }
        say("\nEnding everything.");
    }
    Ok(outcome.exit_code())
}

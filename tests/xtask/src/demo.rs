//! `cargo xtask demo`: everything at once, from nothing, before the user's eyes.

mod help;
mod outcome;
mod screen;
mod script;
mod stack;
mod update;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Error, Result};
use patchbay_servers::install;

use crate::{cargo, signals};
use outcome::Outcome;
use screen::say;
use stack::Stack;

#[derive(clap::Args)]
pub struct Args {
    /// End after the script instead of staying up for your own clients
    #[arg(long)]
    once: bool,
    /// Stay up even when the script did not succeed
    #[arg(long, conflicts_with = "once")]
    keep_going: bool,
    /// Build with optimizations
    #[arg(long)]
    release: bool,
}

/// Exits with 0 only if NICOS itself said that the script succeeded.
pub fn run(args: &Args) -> Result<ExitCode> {
    // First, since an ordinary user may be told to install packages.
    screen::heading("Servers: installing what is missing");
    install(&screen::progress)?;
    let binaries = build(args.release)?;
    show(args, &binaries)
}

fn show(args: &Args, binaries: &Path) -> Result<ExitCode> {
    screen::heading("Starting NICOS, ActiveMQ and the gateway on free ports of 127.0.0.1");
    let mut stack = Stack::start(binaries)?;
    screen::heading("A script, sent by a JMS client as the IBEX user interface sends it");
    let outcome = script::run(&mut stack).or_else(|error| blame(&mut stack, error))?;
    say(&format!("\n{outcome}"));
    let stays = !args.once && (outcome == Outcome::Succeeded || args.keep_going);
    if stays {
        say(&help::text(&stack));
        stay(&mut stack)?;
        say("\nEnding everything.");
    }
    Ok(if outcome == Outcome::Succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// When a process dies, what fails first may be something that needed it: names the process rather.
fn blame(stack: &mut Stack, error: Error) -> Result<Outcome> {
    thread::sleep(Duration::from_millis(300));
    stack.check().and(Err(error))
}

/// Until Ctrl-C, or until one of the processes is gone.
fn stay(stack: &mut Stack) -> Result<()> {
    while !signals::are_caught() {
        stack.check()?;
        // Nobody looks at what the demo's own client still receives.
        drop(stack.jms.unmatched());
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Builds what runs, and returns where it lies.
fn build(release: bool) -> Result<PathBuf> {
    screen::heading("Building the gateway and its plugins");
    cargo::gateway(release)
}

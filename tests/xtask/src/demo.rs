//! `cargo xtask demo`: everything at once, from nothing, before the user's eyes.

mod embedded;
mod help;
mod outcome;
mod screen;
mod script;
mod stack;
mod swap;
mod talk;
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
    /// Without NICOS and ActiveMQ: the gateway runs the script in plain Python, and nothing is installed
    #[arg(long)]
    embedded: bool,
    /// The same script on NICOS, an RE Manager and plain Python, exchanged while clients stay and ask all the time
    #[arg(long, conflicts_with = "embedded")]
    swap: bool,
}

/// What the demo with the real servers needs to be built.
const PACKAGES: [&str; 4] = [
    "patchbay",
    "patchbay-nicos",
    "patchbay-activemq",
    "patchbay-socket",
];

/// Exits with 0 only if the script server itself said that the script succeeded.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.embedded {
        return embedded::run(args);
    }
    if args.swap {
        return swap::run(args);
    }
    // First, since an ordinary user may be told to install packages.
    screen::heading("Servers: installing what is missing");
    match install(&screen::progress) {
        Ok(()) => {}
        Err(error) if signals::are_caught() => return Err(error.into()),
        Err(error) => {
            say(&without_servers(&error));
            return embedded::run(args);
        }
    }
    let binaries = build(args.release, &PACKAGES)?;
    show(args, &binaries)
}

/// Somebody who has only just come should see something run, whatever is missing.
fn without_servers(error: &patchbay_servers::Error) -> String {
    format!(
        "\nNICOS and ActiveMQ cannot be had on this machine yet: {error}\n\n\
         Until then, this is the gateway with plain Python in their place, for which nothing has to be installed \
         (`cargo xtask demo --embedded` shows it without trying the others)."
    )
}

fn show(args: &Args, binaries: &Path) -> Result<ExitCode> {
    screen::heading("Starting NICOS, ActiveMQ and the gateway on free ports of 127.0.0.1");
    let mut stack = Stack::start(binaries)?;
    screen::heading("A script, sent by a JMS client as the IBEX user interface sends it");
    let outcome = script::run(&mut stack).or_else(|error| blame(&mut stack, error))?;
    say(&format!("\n{}", outcome.sentence("NICOS")));
    let stays = !args.once && (outcome == Outcome::Succeeded || args.keep_going);
    if stays {
        say(&help::text(&stack));
        stay(&mut stack)?;
        say("\nEnding everything.");
    }
    Ok(outcome.exit_code())
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
fn build(release: bool, packages: &[&str]) -> Result<PathBuf> {
    screen::heading("Building the gateway and its plugins");
    cargo::build(release, packages)
}

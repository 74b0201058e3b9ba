//! Ctrl-C and its kin: everything that was started is ended before we end.

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use patchbay_servers::interrupt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// As a shell reports a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// The first signal ends every wait, so that we clean up; a second one ends us at once, and the kernel then ends what
/// we started.
pub fn catch() -> Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), interrupt())
            .and_then(|_| flag::register(signal, interrupt()))
            .context("cannot catch signals")?;
    }
    Ok(())
}

/// Whether one came.
pub fn are_caught() -> bool {
    interrupt().load(Ordering::Relaxed)
}

/// What to say and to return when a signal cut our work short.
pub fn interrupted() -> ExitCode {
    eprintln!("\nInterrupted; everything has been ended.");
    ExitCode::from(INTERRUPTED)
}

//! Reads one pickle from standard input and writes it as JSON, within the default limits.
//!
//! Prints one line and exits with 1 where the plugin would refuse the payload.

use std::io::{Read, Write};
use std::process::ExitCode;

use patchbay_nicos::pickle::{Limits, decode};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::default();
    let mut payload = Vec::new();
    std::io::stdin()
        .take(limits.input_bytes as u64 + 1)
        .read_to_end(&mut payload)?;
    let json = decode(&payload, &limits)?.to_json()?;
    // Whoever reads it may have gone, which is no reason to panic.
    writeln!(std::io::stdout(), "{}", json.get())?;
    Ok(())
}

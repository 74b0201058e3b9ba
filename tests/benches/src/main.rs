//! What the gateway costs, side by side with doing without it: `cargo xtask bench`.
//!
//! Each benchmark ([`benches`]) starts the real servers and everybody who is compared, and lets them take turns, round by round,
//! because only what was measured in the same run can be compared on a machine that does other things too. What it measures are
//! [`figure::Figure`]s; [`report`] shows them, writes them as JSON and records them in RESULTS.md.

#![forbid(unsafe_code)]

mod bare;
mod benches;
mod child;
mod cost;
mod daemon;
mod figure;
mod forwarder;
mod gateway;
mod line;
mod load;
mod machine;
mod report;
mod responders;
mod signals;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use benches::Bench;
use figure::Measured;
use machine::Machine;

/// Measures what the gateway costs beside the real servers, and what it costs less than others
///
/// Contenders take turns in one run; what counts are the ratios between them, given as medians over the rounds with their least and
/// greatest. Everything needed is installed and built first.
#[derive(Parser)]
#[command(name = "patchbay-bench", bin_name = "cargo xtask bench")]
struct Args {
    /// Which ones to run; all, if none is named. Without any other word `list` says what there is
    names: Vec<String>,
    /// How often the contenders take turns; more rounds, less chance
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Writes the figures of each round into this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Puts the figures into tests/benches/RESULTS.md, with date, commit and machine, in place of earlier ones
    #[arg(long)]
    record: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match signals::catch().and_then(|()| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if signals::are_caught() => signals::interrupted(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if args.names == ["list"] {
        print!("{}", benches::list());
        return Ok(());
    }
    let chosen = benches::chosen(&args.names)?;
    let mut all = Vec::new();
    for bench in chosen {
        let measured = measure(bench, args.rounds)?;
        print!("{}", report::table(&measured));
        if args.record {
            report::record(&measured)?;
        }
        all.push(measured);
    }
    if let Some(file) = &args.json {
        report::write_json(file, &all)
            .with_context(|| format!("writing the figures to {}", file.display()))?;
    }
    Ok(())
}

fn measure(bench: &'static Bench, rounds: u32) -> Result<Measured> {
    eprintln!("== {}: {}", bench.name, bench.about);
    let machine = Machine::now()?;
    let figures = (bench.run)(rounds as usize).with_context(|| format!("in `{}`", bench.name))?;
    Ok(Measured {
        bench: bench.name,
        about: bench.about,
        rounds,
        machine,
        figures,
    })
}

/// Says on standard error what is being done.
fn say(line: &str) {
    eprintln!("   {line}");
}

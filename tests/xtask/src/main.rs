//! `cargo xtask demo` and `cargo xtask test`, what people and CI run from a checkout; `cargo xtask bench`, which measures;
//! `cargo xtask deb`, which makes the Debian package; and `cargo xtask record`, which makes the recordings that tests use.
#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod deb;
mod demo;
mod record;
mod signals;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Patchbay's demo, tests, benchmarks, package and recordings"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts NICOS, ActiveMQ and the gateway, and runs a script through all of them before your eyes
    Demo(demo::Args),
    /// Installs the servers that tests use, builds everything and runs all tests
    Test(test::Args),
    /// Measures what the gateway costs, beside the real servers and beside others; `bench --help` says more
    Bench(bench::Args),
    /// Builds the gateway and puts it into a Debian package
    Deb(deb::Args),
    /// Records anew what a real server says, into tests/golden
    Record(record::Args),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let outcome = signals::catch().and_then(|()| match command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Deb(args) => deb::run(&args),
        Command::Record(args) => record::run(&args),
    });
    match outcome {
        Ok(code) => code,
        Err(_) if signals::are_caught() => signals::interrupted(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
